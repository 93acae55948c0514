"""How long somebody waits for a computation: until the client leaves, or the time is over."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from starlette.types import Receive

from mesh.serve.jobs import Job

WATCH_AFTER_SECONDS = 0.01
"""Watching whether a client leaves takes longer than a short computation does."""


class Patience:
    """Cancels jobs when their client leaves or their time is over.

    Jobs that are done soon are not watched at all.

    Attributes:
        ended: why they were cancelled, as the metric of rejections names it.
    """

    def __init__(self, jobs: Sequence[Job], receive: Receive, seconds: float) -> None:
        self.ended: Literal["client_left", "deadline"] | None = None
        self._jobs = jobs
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._end = self._loop.time() + seconds
        self._task: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(min(WATCH_AFTER_SECONDS, seconds), self._watch)

    def renew(self) -> None:
        """Begin the time anew, since a part of the result is there."""
        self._end = self._loop.time() + self._seconds
        if self._task is not None:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._end, self._end_waiting, "deadline")

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _watch(self) -> None:
        self._timer = self._loop.call_at(self._end, self._end_waiting, "deadline")
        self._task = asyncio.create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end_waiting("client_left")

    def _end_waiting(self, reason: Literal["client_left", "deadline"]) -> None:
        if self.ended is None:
            self.ended = reason
            for job in self._jobs:
                job.future.cancel()
