"""Plots are parts of a page: in its colours, without ids of others, whatever their labels."""

import re

from mesh.report.figures import draw_diagonal, draw_lines, figure

LABELS = ('$x_{$ <script> "q" id="mine" #010203', "b")


def drawn(name: str) -> str:
    lines = {label: ([1.0, 2.0], [number, 0.5]) for number, label in enumerate(LABELS)}
    return figure(
        name, "Loss, after each epoch", lambda axes: draw_lines(axes, lines, x="x", y="y")
    )


def test_labels_are_shown_as_they_are() -> None:
    markup = drawn("one")
    shown = [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", markup) if "x_" in text]
    assert [text.replace("&quot;", '"') for text in shown] == [
        '$x_{$ &lt;script&gt; "q" id="mine" #010203'
    ]
    assert "<script" not in markup


def test_plots_have_the_colours_of_the_page_and_nothing_from_outside() -> None:
    markup = drawn("one")
    assert {"var(--series-1)", "var(--series-2)", "var(--line)", "currentColor"} <= set(
        re.findall(r"var\(--[a-z0-9-]+\)|currentColor", markup)
    )
    assert not re.findall(r"stroke: #[0-9a-f]{6}", markup)
    assert "<metadata" not in markup
    assert "<style" not in markup
    addresses = set(re.findall(r"https?://[^\"' ]+", markup))
    assert addresses <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}


def test_ids_of_two_plots_differ_and_lead_somewhere() -> None:
    one, other = drawn("one"), drawn("other")
    ids = [
        re.findall(r' id="([^"]+)"', re.sub(r">[^<]*<", "><", markup)) for markup in (one, other)
    ]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    used = set(re.findall(r"(?:xlink:href=\"|url\()#([^\")]+)", one))
    assert used == set(ids[0])
    assert drawn("one") == one


def test_plot_has_a_title_a_caption_and_its_numbers() -> None:
    markup = figure("p", "Loss: by epoch.", draw_diagonal, ("epoch", "loss"), [("1", "0.5")])
    assert 'role="img" aria-label="Loss"' in markup
    assert "<figcaption>Loss: by epoch.</figcaption>" in markup
    assert "<caption>Loss</caption>" in markup
