"""Curves of figures: in one line of text, or in a file."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from mesh.core.errors import MeshError, UsageError
from mesh.registry.runs import Figure

Curves = Mapping[str, Sequence[Sequence[Figure]]]
"""By the name of a figure, its values in each of several runs."""

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 40
_FORMATS = (".pdf", ".png", ".svg")
_COLUMNS = 2


def sparkline(values: Sequence[float], width: int = _WIDTH) -> str:
    """Values as a row of bars: the least is the lowest, and one bar stands for several of many.

    Values that aren't numbers are spaces.
    """
    count = min(width, len(values))
    means = [
        _mean(values[number * len(values) // count : (number + 1) * len(values) // count])
        for number in range(count)
    ]
    finite = [mean for mean in means if math.isfinite(mean)]
    if not finite:
        return " " * count
    # Halves: the difference of the largest numbers has no number.
    low, span = min(finite) / 2, max(finite) / 2 - min(finite) / 2
    return "".join(
        (
            _BARS[round((mean / 2 - low) / span * (len(_BARS) - 1)) if span else 0]
            if math.isfinite(mean)
            else " "
        )
        for mean in means
    )


def write_plot(curves: Curves, titles: Sequence[str], file: Path) -> None:
    """Draw a diagram of each figure, with a line for each run.

    Raises:
        UsageError: the file's name has no known ending.
        MeshError: there is nothing to draw, or the file can't be written.
    """
    if file.suffix.lower() not in _FORMATS:
        raise UsageError(f"{file} can't be drawn: its name must end in {', '.join(_FORMATS)}.")
    if not curves:
        raise MeshError("These runs have no curves to draw.")
    from matplotlib.figure import Figure as Drawing

    lines = math.ceil(len(curves) / _COLUMNS)
    drawing = Drawing(figsize=(6 * _COLUMNS, 3 * lines), layout="constrained")
    places = drawing.subplots(lines, _COLUMNS, squeeze=False).flatten()
    for axes, (name, of_runs) in zip(places, curves.items(), strict=False):
        for title, history in zip(titles, of_runs, strict=True):
            steps = [figure.step for figure in history]
            # Epochs are few points, and a line of one point is none.
            marker = "o" if len(steps) < _WIDTH else ""
            values = [figure.value for figure in history]
            axes.plot(steps, values, label=title, linewidth=1.2, marker=marker, markersize=3)
        axes.set_title(name)
        axes.set_xlabel("step")
        axes.spines[["top", "right"]].set_visible(False)
    places[0].legend(frameon=False)
    for axes in places[len(curves) :]:
        axes.set_visible(False)
    try:
        drawing.savefig(file, dpi=100)
    except OSError as error:
        raise MeshError(f"{file} can't be written: {error.strerror}.") from error


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
