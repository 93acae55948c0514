import datetime
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.loadtest.report import LoadTestReport, percentile

TIMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)
PERCENTS = st.integers(0, 100)


@given(TIMES, PERCENTS)
def test_percentile_is_the_smallest_that_enough_values_do_not_exceed(
    times: list[float], percent: int
) -> None:
    found = percentile(sorted(times), percent)
    within = sum(time <= found for time in times)
    below = sum(time < found for time in times)
    assert found in times
    assert 100 * within >= percent * len(times)
    assert 100 * below < percent * len(times) or below == 0


@given(TIMES, st.sampled_from([50, 75, 90, 95, 99]))
def test_percentile_is_numpys_nearest_rank(times: list[float], percent: int) -> None:
    # NumPy multiplies fractions: where that should give a whole number, it may take the next value.
    ours = percentile(sorted(times), percent)
    next_one = min((time for time in times if time > ours), default=ours)
    assert np.percentile(times, percent, method="inverted_cdf") in (ours, next_one)


def test_percentiles_of_a_hundred_values_are_those_values(
    report_of: Callable[..., LoadTestReport],
) -> None:
    figures = report_of(predict=[*range(100, 0, -1)]).completed["POST_/predict"].measurements
    assert figures.response_time_p50 == pytest.approx(50)
    assert figures.response_time_p90 == pytest.approx(90)
    assert figures.response_time_p99 == pytest.approx(99)
    assert figures.min_response_time == pytest.approx(1)
    assert figures.max_response_time == pytest.approx(100)
    assert figures.avg_response_time == pytest.approx(50.5)


def test_failures_count_as_requests_and_have_no_times(
    report_of: Callable[..., LoadTestReport],
) -> None:
    report = report_of(predict=[10, "status 404", 30, "status 404", "wrong response"])
    endpoint = report.completed["POST_/predict"]
    assert endpoint.failures == {"status 404": 2, "wrong response": 1}
    figures = endpoint.measurements
    assert (figures.requests_total, figures.failures_total) == (5, 3)
    assert figures.failures_percent == 60
    assert figures.requests_rps == 0.5
    assert figures.min_response_time == 10
    assert (report.num_requests, report.num_requests_fail) == (5, 3)


def test_nothing_was_requested(report_of: Callable[..., LoadTestReport]) -> None:
    report = report_of()
    figures = report.completed["POST_/predict"].measurements
    assert (figures.requests_total, figures.requests_rps) == (0, 0)
    assert figures.failures_percent is None
    assert figures.response_time_p99 is None


def test_a_run_lasts_until_its_last_response(report_of: Callable[..., LoadTestReport]) -> None:
    report = report_of(predict=[12_000])
    assert report.duration_seconds == 12
    assert report.end_time - report.start_time == datetime.timedelta(seconds=12)
    assert report_of(predict=[1]).duration_seconds == 10
