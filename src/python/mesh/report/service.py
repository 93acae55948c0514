"""The parts of a report on the compiled network and its server: parity, regression, load tests."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh.core.card import TEST_RESULTS
from mesh.lifecycle.promotion import LoadTest
from mesh.loadtest.report import PERCENTILES
from mesh.report.content import Content
from mesh.report.figures import draw_lines, figure
from mesh.report.markup import Html, element, facts, folded, join, paragraph, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BEGINNING = 70
"""Characters of a document by which it is recognised."""


def parity_part(content: Content) -> Html:
    """The agreement with the uncompiled network, and the regression suite."""
    parity = content.version.card.metrics.get("parity")
    if not parity:
        return paragraph("This version is not compiled, so there is nothing to compare.")
    reports = [parity, *parity.get("lower", ())]
    return join((*(_parity_in(content, report) for report in reports), _regression(content)))


def _parity_in(content: Content, parity: dict[str, Any]) -> Html:
    """The agreement in one precision."""
    allowed = parity["tolerances"]
    cases = parity["cases"]
    failed = sum(not case["passed"] for case in cases)
    precision = parity.get("precision")
    return join(
        (
            paragraph(
                f"{len(cases) - failed} of {len(cases)} cases are within the tolerances: a largest "
                f"difference of {allowed['max_abs_difference']:g} in any output value, and a smallest "
                f"cosine of {allowed['min_cosine']:g}. The largest difference is "
                f"{parity['max_abs_difference']:.2g}, the smallest cosine {parity['min_cosine']:.6f}."
                f"{_ran_on(parity.get('runs_on', ()), precision)}"
            ),
            folded(
                f"Each case in {precision}" if precision else "Each case",
                table(
                    f"Parity of the compiled network ({parity['backend']}) with the uncompiled one",
                    ("text", "given", "characters", "cut tokens", "difference", "cosine", ""),
                    [_case(content, case) for case in cases],
                ),
            ),
        )
    )


def _ran_on(devices: Sequence[str], precision: str | None) -> str:
    within = f" in {precision}" if precision else ""
    return f" The network ran on {' and '.join(devices)}{within}." if devices else ""


def _case(content: Content, case: dict[str, Any]) -> list[str]:
    number = int(case["text"])
    known = number < len(content.documents)
    text = content.documents[number] if known else "all of them, longer than the network reads"
    return [
        f"{number + 1}: {_beginning(text)}",
        str(case["call"]),
        f"{case['characters']}",
        f"{case['overflow_tokens']}",
        f"{case['max_abs_difference']:.1e}",
        f"{case['cosine']:.6f}",
        _verdict(passed=case["passed"]),
    ]


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * _BEGINNING].split())
    return line if len(line) <= _BEGINNING else f"{line[:_BEGINNING]}…"


def _verdict(*, passed: bool) -> Html:
    return element("span", "passed" if passed else "failed", class_="yes" if passed else "no")


def _regression(content: Content) -> Html | None:
    found = content.validation
    if found is None:
        return None
    passed = sum(case.outcome == "passed" for case in found.cases)
    return join(
        (
            paragraph(
                f"Regression suite: {passed} of {len(found.cases)} cases passed, with a tolerance of "
                f"{found.tolerance:g} against the predictions that are stored with the trained version."
            ),
            folded(
                "Each case of the regression suite",
                table(
                    "Regression suite",
                    ("case", "outcome"),
                    [
                        (case.name, _verdict(passed=case.outcome == "passed"))
                        for case in found.cases
                    ],
                    numbers=False,
                ),
            ),
            *(
                paragraph(f"{case.name}: {case.message}.", class_="note")
                for case in found.cases
                if case.message
            ),
        )
    )


def load_part(content: Content) -> Html:
    """The last load test: verdict, response times, criteria."""
    if content.version.card.model_type != "compiled":
        return paragraph("This version is not compiled, so no server has run it.")
    if not content.load_tests:
        return paragraph(
            f"No load test is attached under {TEST_RESULTS}/; run serve:load and serve:upload-results."
        )
    last = content.load_tests[-1]
    report = last.report
    return join(
        (
            paragraph(
                _verdict(passed=last.evaluation.passed),
                f" {report.num_requests:,} requests by {report.users} users in "
                f"{report.duration_seconds:.0f} seconds, {report.num_requests_fail:,} of them failed."
                f"{_ran_on(report.runs_on, report.precision)}",
            ),
            *(paragraph(reason, class_="note") for reason in last.evaluation.inconclusive),
            facts(
                (
                    ("image", last.image_tag),
                    ("began", f"{report.start_time:%Y-%m-%d %H:%M} UTC"),
                    ("think time", f"{report.think_seconds:g} s"),
                    ("earlier load tests", f"{len(content.load_tests) - 1}"),
                )
            ),
            _times(last),
            _criteria(last),
        )
    )


def _times(test: LoadTest) -> Html | None:
    lines = {
        name: [getattr(one.measurements, f"response_time_p{each}") for each in PERCENTILES]
        for name, one in test.report.completed.items()
        if one.measurements.response_time_p50 is not None
    }
    if not lines:
        return None
    return figure(
        "load",
        "Response times: so many milliseconds were enough for this percentage of the right responses",
        partial(_draw_times, lines=lines),
        ("endpoint", *(f"p{each}" for each in PERCENTILES)),
        [(name, *(f"{value:.1f}" for value in values)) for name, values in lines.items()],
    )


def _draw_times(axes: "Axes", lines: dict[str, list[float]]) -> None:
    drawn = {name: (PERCENTILES, values) for name, values in lines.items()}
    draw_lines(axes, drawn, x="% of the right responses", y="milliseconds", marker="o")
    axes.set_ylim(bottom=0)


def _criteria(test: LoadTest) -> Html | None:
    criteria = test.evaluation.evaluated_criteria
    if not criteria:
        return None
    return table(
        "Criteria of the load test",
        ("measurement", "endpoint", "bound", "measured", ""),
        [
            (
                one.name,
                f"{one.endpoint_type} {one.endpoint_url}",
                f"{'≤' if one.ensure_lower else '≥'} {one.threshold:g}"
                f"{'' if one.hard else ' (wanted)'}",
                "none" if one.measured is None else f"{one.measured:.4g}",
                _verdict(passed=one.passed),
            )
            for one in criteria
        ],
    )
