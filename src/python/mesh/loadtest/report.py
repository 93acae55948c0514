"""The measurements of a load test."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.core.files import read_model
from mesh.core.precisions import Precision
from mesh.loadtest.own_times import ServerFigures
from mesh.loadtest.plan import Exchange, GeneratorFigures, LoadPlan

REPORT_FILE = "load_test_report.json"

MeasurementName = Literal[
    "requests_total",
    "failures_total",
    "failures_percent",
    "requests_rps",
    "avg_response_time",
    "min_response_time",
    "response_time_p50",
    "response_time_p55",
    "response_time_p65",
    "response_time_p75",
    "response_time_p85",
    "response_time_p90",
    "response_time_p95",
    "response_time_p99",
    "max_response_time",
]
PERCENTILES = (50, 55, 65, 75, 85, 90, 95, 99)
"""Those of response times that are measured."""


@dataclass(frozen=True)
class Outcome:
    """A request, and the reason if it failed."""

    exchange: Exchange
    failure: str | None


class Measurements(BaseModel):
    """Figures of one endpoint.

    Times are in milliseconds and of right responses only, so that a server can't get faster by
    failing; without any right response they are None. The percentile p99 is the shortest time
    within which at least 99 % of the right responses arrived (the nearest rank, never
    interpolated).

    Args:
        requests_total: all requests, failed ones too.
        failures_percent: from 0 to 100; None without requests.
        requests_rps: all requests, by seconds of the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_total: int
    failures_total: int
    failures_percent: float | None
    requests_rps: float
    avg_response_time: float | None = None
    min_response_time: float | None = None
    response_time_p50: float | None = None
    response_time_p55: float | None = None
    response_time_p65: float | None = None
    response_time_p75: float | None = None
    response_time_p85: float | None = None
    response_time_p90: float | None = None
    response_time_p95: float | None = None
    response_time_p99: float | None = None
    max_response_time: float | None = None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], seconds: float) -> Self:
        """Measure the requests to one endpoint in a run of so many seconds."""
        total = len(outcomes)
        failures = sum(outcome.failure is not None for outcome in outcomes)
        times = sorted(
            outcome.exchange.seconds * 1000 for outcome in outcomes if outcome.failure is None
        )
        return cls(
            requests_total=total,
            failures_total=failures,
            failures_percent=100 * failures / total if total else None,
            requests_rps=total / seconds if seconds else 0.0,
            **_times(times),
        )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest of the sorted values that at least `percent` % of them don't exceed."""
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[rank - 1]


def _times(ordered: Sequence[float]) -> dict[str, float]:
    if not ordered:
        return {}
    percentiles = {
        f"response_time_p{percent}": percentile(ordered, percent) for percent in PERCENTILES
    }
    return percentiles | {
        "avg_response_time": sum(ordered) / len(ordered),
        "min_response_time": ordered[0],
        "max_response_time": ordered[-1],
    }


class EndpointReport(BaseModel):
    """One endpoint: method and path, figures, and the number of failures by reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint_type: str
    endpoint_url: str
    measurements: Measurements
    failures: dict[str, int]


class LoadTestReport(BaseModel):
    """The whole run.

    Args:
        model_version: the served compiled version, such as `KEYWORDS-COMPILED-3`; None if code is
            the model.
        fingerprint: of that version, from the server itself.
        runs_on: what the server's network ran on, from the server itself; older reports lack it.
        precision: what it computed in; None there, and without a network.
        duration_seconds: from the first user's start to the last response, at least the planned
            time.
        completed: by `<method>_<path>`; also endpoints that were never called.
        generator: the load generator's own figures; None in reports of older versions.
        server: the server's own figures, likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    project: str
    model_version: str | None
    fingerprint: str | None
    runs_on: tuple[str, ...] = ()
    precision: Precision | None = None
    url: str
    users: int
    spawn_rate: float
    think_seconds: float
    start_time: datetime.datetime
    end_time: datetime.datetime
    duration_seconds: float
    num_requests: int
    num_requests_fail: int
    completed: dict[str, EndpointReport]
    generator: GeneratorFigures | None = None
    server: ServerFigures | None = None

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the report in a folder of test results.

        Raises:
            MeshError: it is missing or malformed.
        """
        return read_model(cls, directory / REPORT_FILE, "run serve:load")


def duration(plan: LoadPlan, outcomes: Iterable[Outcome]) -> float:
    """Seconds from the first user's start to the last response, at least the planned time."""
    ends = (outcome.exchange.start + outcome.exchange.seconds for outcome in outcomes)
    return max(plan.run_seconds, *ends, 0.0)


def make_report(
    plan: LoadPlan,
    outcomes: Sequence[Outcome],
    *,
    project: str,
    model_version: str | None,
    fingerprint: str | None,
    started: datetime.datetime,
    generator: GeneratorFigures | None,
    server: ServerFigures | None = None,
    runs_on: tuple[str, ...] = (),
    precision: Precision | None = None,
) -> LoadTestReport:
    """Measure what became of a plan's requests."""
    seconds = duration(plan, outcomes)
    endpoints = {request.path: request.method for request in plan.requests}
    completed = {
        f"{method}_{path}": _endpoint(
            method,
            path,
            [item for item in outcomes if plan.requests[item.exchange.request].path == path],
            seconds,
        )
        for path, method in endpoints.items()
    }
    return LoadTestReport(
        project=project,
        model_version=model_version,
        fingerprint=fingerprint,
        runs_on=runs_on,
        precision=precision,
        url=plan.url,
        users=plan.users,
        spawn_rate=plan.spawn_rate,
        think_seconds=plan.think_seconds,
        start_time=started,
        end_time=started + datetime.timedelta(seconds=seconds),
        duration_seconds=seconds,
        num_requests=len(outcomes),
        num_requests_fail=_failed(outcomes),
        completed=completed,
        generator=generator,
        server=server,
    )


def _endpoint(
    method: str, path: str, outcomes: Sequence[Outcome], seconds: float
) -> EndpointReport:
    reasons = Counter(outcome.failure for outcome in outcomes if outcome.failure is not None)
    return EndpointReport(
        endpoint_type=method,
        endpoint_url=path,
        measurements=Measurements.of(outcomes, seconds),
        failures=dict(reasons.most_common()),
    )


def _failed(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.failure is not None for outcome in outcomes)
