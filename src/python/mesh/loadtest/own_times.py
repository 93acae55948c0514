"""A server's own response times during a load, from its histogram in Prometheus' format."""

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pydantic import BaseModel, ConfigDict

from mesh.core.errors import MeshError

HISTOGRAM = "http_request_duration_seconds"
STARTED = "process_start_time_seconds"
RESIDENT = "process_resident_memory_bytes"
MODEL = "model_info"
PROCESSOR = "process_cpu_seconds_total"
_PROCESS = (STARTED, RESIDENT, PROCESSOR)

Endpoint = tuple[str, str]
"""Method and path."""

Buckets = Mapping[float, float]
"""By upper bound in seconds, in ascending order, the number of requests that took no longer."""


class OwnTimes(BaseModel):
    """One endpoint by the server's own clock, in milliseconds.

    Percentiles are interpolated within a bucket of the server's histogram; one beyond the last
    bucket's bound is that bound. They are None if the server counted no request.

    Args:
        requests: all that the server counted: also failed ones, and those of other clients.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int
    response_time_p50: float | None
    response_time_p95: float | None
    response_time_p99: float | None


class ServerFigures(BaseModel):
    """What a server says of itself.

    Args:
        completed: by `<method>_<path>`.
        resident_bytes: memory after the load; None if it doesn't say.
        processor: cores that it used during the load, in user and system time; likewise.
        problem: why there are no figures; None if there are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    completed: dict[str, OwnTimes] = {}
    resident_bytes: int | None = None
    processor: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Counts:
    """A server's histogram at one time, and what its process says of itself.

    Args:
        process: when it started (`STARTED`, seconds since 1970), and what it uses (`RESIDENT` bytes,
            `PROCESSOR` seconds), as far as it says.
        buckets: by method and route, such as `/v1/model/{name}/bio`.
    """

    process: Mapping[str, float]
    buckets: Mapping[Endpoint, Buckets]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `/metrics` responds.

        Raises:
            MeshError: it isn't in Prometheus' format, or has no such histogram.
        """
        found: dict[Endpoint, dict[float, float]] = {}
        process: dict[str, float] = {}
        with _as_metrics():
            for sample in _samples(text):
                labels = sample.labels
                if sample.name == f"{HISTOGRAM}_bucket":
                    route = found.setdefault((labels["method"], labels["route"]), {})
                    route[float(labels["le"])] = sample.value
                elif sample.name in _PROCESS and math.isfinite(sample.value):
                    process[sample.name] = sample.value
        if not found:
            raise MeshError(f"its metrics have no histogram {HISTOGRAM}")
        return cls(process, {key: dict(sorted(value.items())) for key, value in found.items()})

    def of(self, endpoint: Endpoint) -> Buckets:
        """The buckets of an endpoint's route; none if it was never requested."""
        method, path = endpoint
        for (other, route), buckets in self.buckets.items():
            if other == method and re.fullmatch(_pattern(route), path):
                return buckets
        return {}


def served_model(text: str) -> str:
    """The name of the model that a server serves, by its metrics.

    Raises:
        MeshError: they aren't in Prometheus' format, or name none or several.
    """
    with _as_metrics():
        names = {sample.labels["model"] for sample in _samples(text) if sample.name == MODEL}
    if len(names) != 1:
        raise MeshError(f"its metrics name {len(names)} models as {MODEL}")
    return names.pop()


def _samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


@contextlib.contextmanager
def _as_metrics() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, IndexError) as error:
        raise MeshError("its metrics aren't in Prometheus' format") from error


def _pattern(route: str) -> str:
    return "".join(
        "[^/]+" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{\w+\})", route)
    )


class Observer:
    """Reads the metrics of a server before a load, and again after it.

    Args:
        read: returns what `/metrics` responds.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._problem: str | None = None
        self._before = self._counts()

    def figures(self, responses: Mapping[Endpoint, int], seconds: float) -> ServerFigures:
        """The server's own figures since then.

        Args:
            responses: how many each endpoint has sent to this client meanwhile.
            seconds: that the load took.
        """
        after = self._counts()
        if self._before is None or after is None:
            return ServerFigures(problem=self._problem)
        if self._before.process.get(STARTED) != after.process.get(STARTED):
            return ServerFigures(problem="it has restarted, or several servers share the address")
        completed = {}
        for endpoint, count in responses.items():
            buckets = _since(self._before.of(endpoint), after.of(endpoint))
            if buckets is None or _total(buckets) < count:
                return ServerFigures(
                    problem=f"it has not counted all {count} responses of {' '.join(endpoint)}; "
                    "several servers may share the address"
                )
            completed["_".join(endpoint)] = _own_times(buckets)
        resident = after.process.get(RESIDENT)
        return ServerFigures(
            completed=completed,
            resident_bytes=None if resident is None else int(resident),
            processor=_cores(self._before, after, seconds),
        )

    def _counts(self) -> Counts | None:
        try:
            return Counts.parse(self._read())
        except MeshError as error:
            self._problem = self._problem or str(error)
            return None


def _cores(before: Counts, after: Counts, seconds: float) -> float | None:
    """The cores that a process used in this time; None if it doesn't say."""
    if PROCESSOR not in before.process or PROCESSOR not in after.process or seconds <= 0:
        return None
    return max(0.0, after.process[PROCESSOR] - before.process[PROCESSOR]) / seconds


def _since(before: Buckets, after: Buckets) -> Buckets | None:
    """The requests between two times; None if the counts don't belong together."""
    if before and list(before) != list(after):
        return None
    found = {bound: count - before.get(bound, 0) for bound, count in after.items()}
    counts = [0.0, *found.values()]
    return found if counts == sorted(counts) else None


def _total(buckets: Buckets) -> int:
    return int(max(buckets.values(), default=0))


def _own_times(buckets: Buckets) -> OwnTimes:
    times = {
        f"response_time_p{percent}": quantile(buckets.items(), percent / 100)
        for percent in (50, 95, 99)
    }
    return OwnTimes(
        requests=_total(buckets),
        **{name: None if seconds is None else seconds * 1000 for name, seconds in times.items()},
    )


def quantile(buckets: Iterable[tuple[float, float]], fraction: float) -> float | None:
    """The time that a fraction of requests didn't exceed, as Prometheus' `histogram_quantile`.

    Args:
        buckets: upper bounds in ascending order, the last one infinite, with the number of requests
            that took no longer.

    Returns:
        None without any request.
    """
    ordered = list(buckets)
    total = ordered[-1][1] if ordered else 0
    if not total:
        return None
    lower, below = 0.0, 0.0
    for upper, count in ordered[:-1]:
        if count >= fraction * total and count > below:
            return lower + (upper - lower) * (fraction * total - below) / (count - below)
        lower, below = upper, count
    return lower
