"""Handmade exchanges and reports."""

import datetime
from collections.abc import Callable, Sequence

import pytest

from mesh.loadtest.plan import Exchange, GeneratorFigures, LoadPlan, PlannedRequest
from mesh.loadtest.report import LoadTestReport, Outcome, make_report

BIO = PlannedRequest(method="GET", path="/bio")
PREDICT = PlannedRequest(method="POST", path="/predict", body='{"inputs": ["a", "b"]}')

HEALTHY = GeneratorFigures(
    users_started=2,
    processor=0.3,
    lag_p50_ms=1,
    lag_max_ms=900,
    connections_reopened=3,
    connections_refused_here=0,
)


@pytest.fixture
def plan() -> LoadPlan:
    return LoadPlan(
        url="http://server",
        users=2,
        spawn_rate=2,
        run_seconds=10,
        timeout_seconds=1,
        think_seconds=0,
        requests=(BIO, PREDICT),
    )


@pytest.fixture
def report_of(plan: LoadPlan) -> Callable[..., LoadTestReport]:
    """Make a report of requests, given as milliseconds or, if failed, as the reason."""

    def make(
        *,
        bio: Sequence[float | str] = (),
        predict: Sequence[float | str] = (),
        **generator: float,
    ) -> LoadTestReport:
        outcomes = [
            outcome(position, result)
            for position, results in enumerate((bio, predict))
            for result in results
        ]
        return make_report(
            plan,
            outcomes,
            project="tiny",
            model_version=None,
            fingerprint=None,
            started=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
            generator=HEALTHY.model_copy(update=generator),
        )

    return make


def outcome(request: int, result: float | str) -> Outcome:
    if isinstance(result, str):
        return Outcome(Exchange(request=request, start=0, seconds=0.001, status=404), result)
    return Outcome(Exchange(request=request, start=0, seconds=result / 1000, status=200), None)
