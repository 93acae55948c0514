"""Criteria of a load test, and the verdict."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from mesh.loadtest.report import LoadTestReport, MeasurementName

EVALUATION_FILE = "load_test_evaluation.json"

MOST_PROCESSOR = 0.9
"""Fraction of its core above which a load generator is the bottleneck."""

MOST_LAG_MS = 250
"""Median lag above which a load generator's response times are its own."""


class Criterion(BaseModel):
    """A bound of one measurement of one endpoint. The bound itself still meets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: MeasurementName
    threshold: FiniteFloat
    ensure_lower: bool = Field(
        True, description="Whether the threshold is the largest value allowed, or the smallest."
    )
    hard: bool = Field(True, description="Whether the whole test fails with this criterion.")
    endpoint_type: Literal["GET", "POST"]
    endpoint_url: str

    def is_met(self, value: float | None) -> bool:
        """Whether a value is within the bound; a missing value isn't."""
        if value is None:
            return False
        return value <= self.threshold if self.ensure_lower else value >= self.threshold


class EvaluatedCriterion(Criterion):
    """A criterion, the measured value, and whether it meets the criterion."""

    measured: float | None
    passed: bool


class LoadTestEvaluation(BaseModel):
    """The verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluated_criteria: tuple[EvaluatedCriterion, ...]
    inconclusive: tuple[str, ...] = Field(
        (), description="Why the measurements are not the server's; empty if they are."
    )
    passed: bool = Field(
        description="Whether all hard criteria are met; never if nothing was requested, or if the "
        "test is inconclusive."
    )


def with_failures(criteria: Sequence[Criterion], report: LoadTestReport) -> list[Criterion]:
    """The criteria, and "no failures" for each endpoint without a criterion on failures."""
    bounded = {
        (item.endpoint_type, item.endpoint_url)
        for item in criteria
        if item.name in ("failures_percent", "failures_total")
    }
    missing = [
        Criterion.model_validate(
            {
                "name": "failures_percent",
                "threshold": 0,
                "endpoint_type": endpoint.endpoint_type,
                "endpoint_url": endpoint.endpoint_url,
            }
        )
        for endpoint in report.completed.values()
        if (endpoint.endpoint_type, endpoint.endpoint_url) not in bounded
    ]
    return [*missing, *criteria]


def evaluate(criteria: Sequence[Criterion], report: LoadTestReport) -> LoadTestEvaluation:
    """Compare the measurements with the criteria, and with "no failures" by default."""
    evaluated = tuple(_evaluate(item, report) for item in with_failures(criteria, report))
    doubts = tuple(_doubts(report))
    return LoadTestEvaluation(
        evaluated_criteria=evaluated,
        inconclusive=doubts,
        passed=report.num_requests > 0
        and not doubts
        and all(item.passed for item in evaluated if item.hard),
    )


def _doubts(report: LoadTestReport) -> Iterator[str]:
    """Why the measurements may be those of the load generator."""
    generator = report.generator
    if generator is None:
        yield "the load generator ended without its own figures"
        return
    if generator.users_started < report.users:
        yield (
            f"{generator.users_started} of {report.users} users started; raise --spawn-rate or "
            "--run-seconds"
        )
    if generator.processor > MOST_PROCESSOR:
        yield (
            f"the load generator used {generator.processor:.0%} of its core; use fewer users, or more "
            "think time"
        )
    if generator.lag_p50_ms > MOST_LAG_MS:
        yield (
            f"the load generator was {generator.lag_p50_ms:.0f} ms late in the median; run it on "
            "another machine than the server"
        )
    if generator.connections_refused_here:
        yield (
            f"{generator.connections_refused_here} connections were refused by this machine, which "
            "allows too few open files; raise `ulimit -n`, or use fewer users"
        )


def _evaluate(criterion: Criterion, report: LoadTestReport) -> EvaluatedCriterion:
    endpoint = report.completed.get(f"{criterion.endpoint_type}_{criterion.endpoint_url}")
    value = getattr(endpoint.measurements, criterion.name) if endpoint else None
    return EvaluatedCriterion(
        **criterion.model_dump(), measured=value, passed=criterion.is_met(value)
    )
