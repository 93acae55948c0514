from collections.abc import Callable

import pytest
from pydantic import ValidationError

from mesh.loadtest.criteria import Criterion, evaluate
from mesh.loadtest.report import LoadTestReport


def criterion(
    name: str = "response_time_p99",
    threshold: float = 20.0,
    *,
    url: str = "/predict",
    kind: str = "POST",
    **options: bool,
) -> Criterion:
    return Criterion(
        name=name, threshold=threshold, endpoint_type=kind, endpoint_url=url, **options
    )


@pytest.mark.parametrize(
    ("value", "ensure_lower", "met"),
    [
        (19, True, True),
        (20, True, True),
        (21, True, False),
        (19, False, False),
        (20, False, True),
        (21, False, True),
        (None, True, False),
        (None, False, False),
    ],
)
def test_bound_is_inclusive_and_asks_for_a_measurement(
    value: int | None, ensure_lower: bool, met: bool
) -> None:
    assert criterion(ensure_lower=ensure_lower).is_met(value) is met


def test_every_criterion_says_what_was_measured(report_of: Callable[..., LoadTestReport]) -> None:
    report = report_of(bio=[1, 2], predict=[10, 30])
    evaluation = evaluate([criterion(), criterion(threshold=30)], report)
    assert not evaluation.passed
    assert [(item.name, item.measured, item.passed) for item in evaluation.evaluated_criteria] == [
        ("failures_percent", 0, True),
        ("failures_percent", 0, True),
        ("response_time_p99", 30, False),
        ("response_time_p99", 30, True),
    ]


def test_soft_criteria_do_not_fail_the_test(report_of: Callable[..., LoadTestReport]) -> None:
    evaluation = evaluate([criterion(hard=False)], report_of(bio=[1], predict=[30]))
    assert evaluation.passed
    assert not evaluation.evaluated_criteria[-1].passed


def test_failures_are_bounded_by_default(report_of: Callable[..., LoadTestReport]) -> None:
    report = report_of(bio=[1] * 99 + ["status 404"], predict=[1])
    assert not evaluate([], report).passed
    assert not evaluate([criterion()], report).passed
    assert evaluate([], report_of(bio=[1], predict=[1])).passed


def test_failures_can_be_allowed(report_of: Callable[..., LoadTestReport]) -> None:
    allowed = criterion("failures_percent", 1, url="/bio", kind="GET")
    assert evaluate([allowed], report_of(bio=[1] * 99 + ["status 404"], predict=[1])).passed
    assert not evaluate([allowed], report_of(bio=[1] * 98 + ["status 404"], predict=[1])).passed


def test_fast_failures_do_not_meet_a_bound_of_times(
    report_of: Callable[..., LoadTestReport],
) -> None:
    evaluation = evaluate([criterion()], report_of(bio=[1], predict=["status 404"] * 1000))
    assert [item.passed for item in evaluation.evaluated_criteria] == [True, False, False]


def test_endpoint_that_was_never_called_fails(report_of: Callable[..., LoadTestReport]) -> None:
    assert not evaluate([], report_of(predict=[1])).passed
    assert not evaluate([criterion(url="/other")], report_of(bio=[1], predict=[1])).passed
    # "At least none" is still not a measurement of an endpoint that was not there.
    none = criterion("requests_total", 0, url="/other", ensure_lower=False)
    assert not evaluate([none], report_of(bio=[1], predict=[1])).passed


def test_no_request_at_all_never_passes(report_of: Callable[..., LoadTestReport]) -> None:
    soft = [
        criterion("failures_percent", 0, url=url, kind=kind, hard=False)
        for kind, url in (("GET", "/bio"), ("POST", "/predict"))
    ]
    assert not evaluate(soft, report_of()).passed
    assert evaluate(soft, report_of(predict=[1])).passed


@pytest.mark.parametrize(
    "wrong",
    [{"name": "p99"}, {"threshold": float("nan")}, {"endpoint_type": "FETCH"}, {"soft": True}],
)
def test_wrong_criteria_are_refused(wrong: dict[str, bool | float | str]) -> None:
    right = {"name": "requests_rps", "threshold": 1, "endpoint_type": "GET", "endpoint_url": "/"}
    assert Criterion.model_validate(right)
    with pytest.raises(ValidationError):
        Criterion.model_validate(right | wrong)


@pytest.mark.parametrize(
    ("figures", "doubt"),
    [
        ({"users_started": 1}, "1 of 2 users started; raise --spawn-rate or --run-seconds"),
        ({"processor": 0.95}, "the load generator used 95% of its core"),
        ({"lag_p50_ms": 400}, "the load generator was 400 ms late in the median"),
        ({"connections_refused_here": 308}, "308 connections were refused by this machine"),
    ],
)
def test_measurements_of_the_generator_are_no_verdict(
    report_of: Callable[..., LoadTestReport], figures: dict[str, float], doubt: str
) -> None:
    healthy = evaluate([], report_of(bio=[1], predict=[1]))
    assert (healthy.passed, healthy.inconclusive) == (True, ())
    evaluation = evaluate([], report_of(bio=[1], predict=[1], **figures))
    assert not evaluation.passed
    assert [reason.startswith(doubt) for reason in evaluation.inconclusive] == [True]


def test_report_without_figures_of_the_generator_is_inconclusive(
    report_of: Callable[..., LoadTestReport],
) -> None:
    report = report_of(bio=[1], predict=[1]).model_copy(update={"generator": None})
    assert evaluate([], report).inconclusive
