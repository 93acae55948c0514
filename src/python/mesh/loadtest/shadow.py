"""A comparison of two servers of a model, by their answers to the same requests."""

import datetime
import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.loadtest.report import percentile
from mesh.loadtest.responses import difference

KEPT = 100
"""Differences that a report shows."""

_TIMES_KEPT = 100_000
"""Times that percentiles are made of: those of the last answers."""

Verdict = Literal["equal", "different", "unanswered"]
"""On two answers; a shadow that fails where the server doesn't has left the request unanswered."""


@dataclass(frozen=True)
class Answer:
    """A server's answer to a request.

    Args:
        status: 0 without a response.
        body: of the response; without one, the reason.
        seconds: until it was read, or failed.
    """

    status: int
    body: bytes
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the status says nothing about the request: overload, timeouts, defects."""
        return self.status in (0, 408, 429) or self.status >= 500


class Times(BaseModel):
    """Percentiles of the times of answers with status 200, in milliseconds; None without any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: int
    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Measure the times of answers."""
        ordered = sorted(seconds)
        found = {
            f"p{percent}": 1000 * percentile(ordered, percent) if ordered else None
            for percent in (50, 95, 99)
        }
        return cls(answers=len(ordered), **found)


class Difference(BaseModel):
    """A request whose answers differ: its id, its path, and what differs first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: str
    path: str
    found: str


class ComparedServer(BaseModel):
    """One of the two servers: where it is, and which version it serves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    fingerprint: str | None


class ShadowReport(BaseModel):
    """What the comparison has found.

    Args:
        requests: predictions of all clients.
        compared: how many of those that the shadow got had which verdict.
        failed: chosen requests that the shadow didn't get, since the server itself failed.
        skipped: likewise, since too many others waited for the shadow.
        differences: the first ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    model: str
    of: ComparedServer
    shadow: ComparedServer
    share: float
    start_time: datetime.datetime
    end_time: datetime.datetime
    requests: int
    compared: dict[Verdict, int]
    failed: int
    skipped: int
    differences: tuple[Difference, ...]
    of_times: Times
    shadow_times: Times

    @property
    def same(self) -> bool | None:
        """Whether all answers were equal; None if none could be compared."""
        if self.compared.get("different") or self.compared.get("unanswered"):
            return False
        return True if self.compared.get("equal") else None


class Comparison:
    """Compares answers as they come."""

    def __init__(self) -> None:
        self.requests = 0
        self.failed = 0
        self.skipped = 0
        self._verdicts: Counter[Verdict] = Counter()
        self._differences: list[Difference] = []
        self._of: deque[float] = deque(maxlen=_TIMES_KEPT)
        self._shadow: deque[float] = deque(maxlen=_TIMES_KEPT)

    def add(self, request_id: str, path: str, of: Answer, shadow: Answer) -> None:
        """Compare a server's answer to a request with that of its shadow."""
        verdict, found = compare(path, of, shadow)
        self._verdicts[verdict] += 1
        if found and len(self._differences) < KEPT:
            self._differences.append(Difference(request_id=request_id, path=path, found=found))
        for answer, times in ((of, self._of), (shadow, self._shadow)):
            if answer.status == 200:
                times.append(answer.seconds)

    def report(
        self,
        model: str,
        of: ComparedServer,
        shadow: ComparedServer,
        share: float,
        started: datetime.datetime,
    ) -> ShadowReport:
        """What was found until now."""
        return ShadowReport(
            model=model,
            of=of,
            shadow=shadow,
            share=share,
            start_time=started,
            end_time=datetime.datetime.now(datetime.UTC),
            requests=self.requests,
            compared=dict(self._verdicts),
            failed=self.failed,
            skipped=self.skipped,
            differences=tuple(self._differences),
            of_times=Times.of(self._of),
            shadow_times=Times.of(self._shadow),
        )


def compare(path: str, of: Answer, shadow: Answer) -> tuple[Verdict, str]:
    """The verdict on two answers, of which the first is no failure, and what differs, if anything."""
    if shadow.status == 0:
        return "unanswered", shadow.body.decode()
    if of.status != shadow.status:
        found = f"status {shadow.status}, not {of.status}"
        return ("unanswered" if shadow.failed else "different"), found
    if of.status != 200:
        # Both refuse the request; their sentences name its id.
        return "equal", ""
    try:
        different = difference(_content(path, of.body), _content(path, shadow.body))
    except (ValueError, TypeError, KeyError):
        different = "one of the responses can't be read"
    return ("different", different) if different else ("equal", "")


def _content(path: str, body: bytes) -> Any:
    """The content of a response; the tensors of the Open Inference Protocol hold JSON as texts."""
    content = json.loads(body)
    if path.startswith("/v2/") and isinstance(content, dict):
        for tensor in content.get("outputs", ()):
            tensor["data"] = [json.loads(text) for text in tensor["data"]]
    return content
