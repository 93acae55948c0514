"""The report on drift as one HTML file."""

import datetime
from functools import partial
from typing import TYPE_CHECKING

from mesh.drift.comparison import COLUMNS, FEWEST, LARGE_PSI, SIGNIFICANT, FactDrift
from mesh.drift.report import DriftReport
from mesh.report.figures import draw_pairs, figure
from mesh.report.layout import Section, whole_page
from mesh.report.markup import Html, bullets, element, facts, join, paragraph, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN_BINS = 20

_CLASSES = {"drift": "no", "no drift": "yes", "undecided": None}


def drift_page(report: DriftReport) -> str:
    """The report on the predictions of a version."""
    sections = [
        Section("verdict", "Verdict", _verdict(report)),
        Section("facts", "Facts", _facts(report)),
        Section("shares", "Shares", _shares(report)),
    ]
    title = f"Drift of {report.project} {report.version}"
    return whole_page(title, f"{report.source.capitalize()}.", sections)


def _verdict(report: DriftReport) -> Html:
    drift = report.drift
    return join(
        (
            paragraph(element("span", report.verdict, class_=_CLASSES[drift.verdict])),
            facts(
                (
                    ("project", report.project),
                    ("version", report.version),
                    ("fingerprint", report.fingerprint),
                    ("predictions", f"{drift.current:,} of {report.source}"),
                    ("first", _time(report.first)),
                    ("last", _time(report.last)),
                    ("reference", f"{drift.reference:,} of {report.reference}"),
                )
            ),
            paragraph(
                "A fact has drifted if its population stability index (PSI) is at least "
                f"{LARGE_PSI:g}, and chance makes such a difference in any fact with a probability "
                f"below {SIGNIFICANT:g}: by the Kolmogorov-Smirnov test for numbers, the chi-square "
                f"test for labels. Both sides need {FEWEST} values."
            ),
        )
    )


def _time(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _facts(report: DriftReport) -> Html:
    drift = report.drift
    return join(
        (
            table(
                "Facts of the predictions, the largest difference first",
                COLUMNS,
                [_row(one) for one in drift.facts],
            ),
            (
                join(
                    (
                        paragraph("Facts that only one side has, which can't be compared:"),
                        bullets(drift.missing),
                    )
                )
                if drift.missing
                else None
            ),
        )
    )


def _row(fact: FactDrift) -> tuple[str, ...]:
    *cells, word = fact.row
    return (
        *cells,
        element("span", word, class_={True: "no", False: "yes", None: None}[fact.drifted]),
    )


def _shares(report: DriftReport) -> Html:
    shown = [fact for fact in report.drift.facts if fact.bins]
    if not shown:
        return paragraph("There are too few values.", class_="note")
    return join(_figure(number, fact) for number, fact in enumerate(shown))


def _figure(number: int, fact: FactDrift) -> Html:
    largest = sorted(fact.bins, key=lambda one: -max(one.reference, one.current))[:_SHOWN_BINS]
    bins = [one for one in fact.bins if one in largest]
    rows = [(one.name, f"{one.reference:.3f}", f"{one.current:.3f}") for one in bins]
    return figure(
        f"fact-{number}",
        f"{fact.name}: share of each {'label' if fact.kind == 'label' else 'range'}",
        partial(_draw, fact=fact, rows=rows),
        ("", "reference", "now"),
        rows,
    )


def _draw(axes: "Axes", fact: FactDrift, rows: list[tuple[str, str, str]]) -> None:
    names = [name for name, _, _ in rows]
    pairs = {
        "reference": [float(before) for _, before, _ in rows],
        "now": [float(after) for _, _, after in rows],
    }
    draw_pairs(axes, names, pairs, x=fact.name, y="share")
