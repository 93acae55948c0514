from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from mesh.core.errors import MeshError
from mesh.loadtest.own_times import (
    HISTOGRAM,
    PROCESSOR,
    RESIDENT,
    STARTED,
    Counts,
    Observer,
    quantile,
    served_model,
)
from mesh.loadtest.report import percentile

BOUNDS = (0.001, 0.01, 0.1, 1.0, 10.0)
PREDICT = ("POST", "/v1/model/tiny/predict")
ROUTE = "/v1/model/{name}/predict"
TIMES = st.lists(st.floats(0, 20), min_size=1, max_size=200)


def metrics(
    times: Sequence[float],
    *,
    route: str = ROUTE,
    started: float = 1,
    bounds: Sequence[float] = BOUNDS,
) -> str:
    """What a server says that has taken these times for predictions."""
    registry = CollectorRegistry()
    Gauge(STARTED, "", registry=registry).set(started)
    histogram = Histogram(
        HISTOGRAM, "", ("method", "route"), buckets=tuple(bounds), registry=registry
    )
    histogram.labels("GET", "/v1/ready").observe(5)
    for seconds in times:
        histogram.labels("POST", route).observe(seconds)
    return generate_latest(registry).decode()


def observer(*texts: str) -> Observer:
    return Observer(iter(texts).__next__)


@pytest.mark.parametrize(
    ("buckets", "fraction", "expected"),
    [
        ([(1, 10), (2, 20), (float("inf"), 20)], 0.5, 1.0),
        ([(1, 10), (2, 20), (float("inf"), 20)], 0.75, 1.5),
        ([(1, 0), (2, 4), (float("inf"), 4)], 0.5, 1.5),
        ([(1, 1), (2, 1), (4, 2), (float("inf"), 2)], 0.95, 3.8),
        ([(1, 1), (float("inf"), 100)], 0.99, 1),
        ([(1, 0), (float("inf"), 0)], 0.5, None),
        ([], 0.5, None),
    ],
)
def test_quantiles_are_those_of_prometheus(
    buckets: list[tuple[float, float]], fraction: float, expected: float | None
) -> None:
    assert quantile(buckets, fraction) == pytest.approx(expected)


@given(TIMES, st.sampled_from([50, 95, 99]))
def test_quantile_is_in_the_bucket_of_the_percentile(times: list[float], percent: int) -> None:
    buckets = Counts.parse(metrics(times)).of(PREDICT)
    found = quantile(buckets.items(), percent / 100)
    exact = percentile(sorted(times), percent)
    lower = max((bound for bound in BOUNDS if bound < exact), default=0)
    upper = min((bound for bound in BOUNDS if bound >= exact), default=BOUNDS[-1])
    assert found is not None
    assert lower <= found <= upper


def test_only_requests_of_the_load_count() -> None:
    before, during = [9.0] * 50, [0.05] * 10
    figures = observer(metrics(before), metrics(before + during)).figures({PREDICT: 10}, 1)
    assert figures.problem is None
    [own] = figures.completed.values()
    assert list(figures.completed) == ["POST_/v1/model/tiny/predict"]
    assert own.requests == 10
    assert own.response_time_p50 == pytest.approx(55)
    assert own.response_time_p99 == pytest.approx(99.1)


def test_endpoints_without_requests_have_no_times() -> None:
    figures = observer(metrics([]), metrics([])).figures({PREDICT: 0, ("GET", "/nowhere"): 0}, 1)
    assert [own.requests for own in figures.completed.values()] == [0, 0]
    assert [own.response_time_p99 for own in figures.completed.values()] == [None, None]


@pytest.mark.parametrize(
    ("route", "path", "same"),
    [
        (ROUTE, "/v1/model/tiny/predict", True),
        ("/v1/model/tiny/predict", "/v1/model/tiny/predict", True),
        (ROUTE, "/v1/model/a/b/predict", False),
        ("/v1/model/.iny/predict", "/v1/model/tiny/predict", False),
    ],
)
def test_paths_fit_patterns(route: str, path: str, same: bool) -> None:
    assert bool(Counts.parse(metrics([1], route=route)).of(("POST", path))) is same


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("<html>", metrics([1]), "aren't in Prometheus' format"),
        (metrics([1]), "a b c d", "aren't in Prometheus' format"),
        ("", metrics([1]), f"have no histogram {HISTOGRAM}"),
        (metrics([]), metrics([1], started=2), "has restarted, or several servers"),
        (metrics([1, 1]), metrics([1]), "has not counted all 1 responses of POST /v1/model/tiny"),
        (metrics([1]), metrics([1]), "several servers may share the address"),
        (metrics([1]), metrics([1, 1], bounds=(1, 2)), "has not counted all 1 responses"),
    ],
)
def test_it_says_why_there_are_no_figures(before: str, after: str, problem: str) -> None:
    figures = observer(before, after).figures({PREDICT: 1}, 1)
    assert problem in str(figures.problem)
    assert not figures.completed


def test_server_that_can_not_be_read_is_a_problem() -> None:
    def fail() -> str:
        raise MeshError("its metrics can't be read (ConnectError)")

    assert (
        Observer(fail).figures({PREDICT: 1}, 1).problem
        == "its metrics can't be read (ConnectError)"
    )


@given(
    st.text()
    | st.builds(
        lambda text, start, part: text[: start % len(text)]
        + part
        + text[(start * 7) % len(text) :],
        st.just(metrics([1, 2])),
        st.integers(0, 5000),
        st.text(max_size=5),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        counts = Counts.parse(text)
    except MeshError:
        return
    assert counts.buckets


def used(**gauges: float) -> str:
    return metrics([]) + "".join(f"{name} {value}\n" for name, value in gauges.items())


@pytest.mark.parametrize(
    ("before", "after", "resident", "processor"),
    [
        ({PROCESSOR: 2, RESIDENT: 9e6}, {PROCESSOR: 5, RESIDENT: 1e8}, 100_000_000, 1.5),
        ({PROCESSOR: 2}, {PROCESSOR: 2}, None, 0.0),
        ({PROCESSOR: 2}, {PROCESSOR: 1}, None, 0.0),
        ({}, {RESIDENT: 7, PROCESSOR: 1}, 7, None),
        ({PROCESSOR: 1}, {RESIDENT: float("nan"), PROCESSOR: float("inf")}, None, None),
    ],
)
def test_footprint_is_that_of_the_load(
    before: dict[str, float],
    after: dict[str, float],
    resident: int | None,
    processor: float | None,
) -> None:
    figures = observer(used(**before), used(**after)).figures({}, 2)
    assert (figures.resident_bytes, figures.processor) == (resident, processor)


def test_model_is_named_once() -> None:
    assert served_model('model_info{model="tiny"} 1.0\n') == "tiny"
    for text, problem in (
        ("", "name 0 models"),
        ('model_info{model="a"} 1.0\nmodel_info{model="b"} 1.0\n', "name 2 models"),
        ("model_info 1.0\n", "aren't in Prometheus' format"),
        ("a b c d", "aren't in Prometheus' format"),
    ):
        with pytest.raises(MeshError, match=problem):
            served_model(text)
