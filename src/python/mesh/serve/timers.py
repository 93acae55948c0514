"""Timers of one duration, which share a single timer of the event loop."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


class Timers(Generic[Owner]):
    """Calls a function with each owner whose timer isn't stopped in time.

    A request has several timers, and hardly any of them ends. Starting and stopping one here is an
    insertion into a dictionary and a removal; of the event loop's, it takes several times as long.

    Args:
        seconds: from the start of a timer to its end.
        end: gets the owner, on the event loop.
    """

    def __init__(self, seconds: float, end: Callable[[Owner], object]) -> None:
        self._seconds = seconds
        self._end = end
        # In the order of their ends, since all take equally long.
        self._ends: dict[Owner, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, owner: Owner) -> None:
        """Start the timer of an owner, or start it again."""
        loop = asyncio.get_running_loop()
        self._ends.pop(owner, None)
        self._ends[owner] = loop.time() + self._seconds
        if self._loop is not loop:
            self._loop = loop
            self._call_at(self._ends[owner], loop)

    def stop(self, owner: Owner) -> None:
        """Stop the timer of an owner, if it runs."""
        self._ends.pop(owner, None)

    def _end_due(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        try:
            while (first := next(iter(self._ends.items()), None)) and first[1] <= now:
                del self._ends[first[0]]
                self._end(first[0])
        finally:
            if self._ends:
                self._call_at(next(iter(self._ends.values())), loop)
            else:
                self._loop = None

    def _call_at(self, end: float, loop: asyncio.AbstractEventLoop) -> None:
        # The context of the request that happens to be the first is not that of the others.
        loop.call_at(end, self._end_due, loop, context=contextvars.Context())
