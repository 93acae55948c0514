"""Requests on their way through the queue, and what traces them there."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(eq=False, slots=True)
class Job:
    """A request on its way.

    Attributes:
        future: gets the result, which may be an exception; cancelled when nobody waits for it.
        passes: about how many passes it takes.
        is_alone: whether it is computed without others, and makes way for short ones.
        submitted: time of `time.monotonic()`.
        trace: the span of the request, where it is traced.
    """

    request: Any
    future: asyncio.Future[Any]
    passes: float
    is_alone: bool = False
    submitted: float = field(default_factory=time.monotonic)
    trace: Any = None

    @property
    def is_short(self) -> bool:
        """Whether it takes about one pass at most."""
        return self.passes <= 1 and not self.is_alone


class BatchTraces(Protocol):
    """Makes spans: see `mesh.serve.traces`."""

    def submitted(self) -> Any:
        """The span of the request that is queued now."""

    def batch(self, jobs: Sequence[Job]) -> AbstractContextManager[object]:
        """The span of a batch, which is about to be computed in this thread."""
