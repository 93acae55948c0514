"""Plots as markup: SVG by matplotlib, in the colours of the page around it."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh.report.markup import Html, element, escape, folded, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#010203"
_LINE = "#040506"
_SERIES = ("#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05", "#0a0b06")
_STYLES = ("-", "--", ":", "-.")
_OF_PAGE = {_INK: "currentColor", _LINE: "var(--line)"} | {
    color: f"var(--series-{number})" for number, color in enumerate(_SERIES, start=1)
}
"""What stands for each colour of a plot in the page, which has others in the dark."""

_SETTINGS: Any = {
    "svg.fonttype": "none",
    # A label that has a `$` is no formula.
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _LINE,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}

Rows = Sequence[Sequence[str]]


def figure(
    name: str,
    caption: str,
    draw: "Callable[[Axes], None]",
    columns: Sequence[str] = (),
    rows: Rows = (),
) -> Html:
    """A plot with its caption, and with its numbers as a table for those who don't see it.

    Args:
        name: the plot's own in the page.
        caption: its beginning, up to a mark, is the plot's title.
    """
    title = re.split(r"[:,.]", caption)[0]
    return element(
        "figure",
        element("div", _svg(name, draw), role="img", aria_label=title, class_="plot"),
        element("figcaption", caption),
        folded("Numbers of this plot", table(title, columns, rows)) if rows else None,
    )


def draw_lines(
    axes: "Axes",
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    marker: str = "",
) -> None:
    """Lines by their names, told apart by colour and dashes, with a legend if there are several."""
    for number, (name, (across, up)) in enumerate(lines.items()):
        axes.plot(
            across,
            up,
            color=_SERIES[number % len(_SERIES)],
            linestyle=_STYLES[number % len(_STYLES)],
            marker=marker,
            label=name,
        )
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, linewidth=0.5)
    if len(lines) > 1:
        axes.legend()


def draw_pairs(
    axes: "Axes", names: Sequence[str], series: Mapping[str, Sequence[float]], *, x: str, y: str
) -> None:
    """Bars of several series beside one another for each name, with a legend."""
    width = 0.8 / len(series)
    for number, (label, heights) in enumerate(series.items()):
        places = [place + (number - (len(series) - 1) / 2) * width for place in range(len(names))]
        axes.bar(places, heights, width, color=_SERIES[number], label=label)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="y", linewidth=0.5)
    axes.legend()


def draw_diagonal(axes: "Axes") -> None:
    """The line on which both axes are equal."""
    axes.plot([0, 1], [0, 1], linestyle="--", color=_INK, linewidth=0.8)


def _svg(name: str, draw: "Callable[[Axes], None]") -> Html:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": name}):
        drawn = Figure(figsize=(6, 3.6), layout="constrained")
        drawn.patch.set_visible(False)
        axes = drawn.subplots()
        axes.patch.set_visible(False)
        draw(axes)
        file = io.StringIO()
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return Html(_for_page(file.getvalue(), name))


def _for_page(svg: str, name: str) -> str:
    """An SVG file as a part of a page: in its colours and its font, with ids of its own."""
    inner = svg[svg.index("<svg") :]
    inner = re.sub(r"<(metadata|style).*?</\1>", "", inner, flags=re.DOTALL)
    # Only what is referred to needs an id.
    used = set(re.findall(r"(?:xlink:href=\"|url\()#([^\")]+)", inner))

    def change(tag: re.Match[str]) -> str:
        text = tag[0]
        for color, of_page in _OF_PAGE.items():
            text = text.replace(color, of_page)
        if text.startswith("<svg"):
            text = re.sub(r' (width|height)="[^"]*"', "", text)
            text = text.replace("<svg", f'<svg aria-hidden="true" class="{escape(name)}"')
        text = re.sub(r"font-family: [^;\"]*; ", "", text)
        return re.sub(r' id="([^"]+)"', lambda found: found[0] * (found[1] in used), text)

    # Texts between the tags are the plot's own.
    return re.sub(r"<[^>]+>", change, inner)
