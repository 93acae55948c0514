"""How long somebody waits for a computation: until the client leaves, or the time is over."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from starlette.types import Receive

from mesh.serve.jobs import Job
from mesh.serve.timers import Timers

WATCH_AFTER_SECONDS = 0.01
"""Watching whether a client leaves takes longer than a short computation does."""


class Patience:
    """Cancels jobs when their client leaves or their time is over.

    Jobs that are done soon are not watched at all.

    Args:
        seconds: the time that they have.
        watching: calls `watch` after `WATCH_AFTER_SECONDS`, or less.

    Attributes:
        ended: why they were cancelled, as the metric of rejections names it.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        receive: Receive,
        seconds: float,
        watching: "Timers[Patience]",
    ) -> None:
        self.ended: Literal["client_left", "deadline"] | None = None
        self._jobs = jobs
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._end = self._loop.time() + seconds
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching = watching
        watching.start(self)

    def renew(self) -> None:
        """Begin the time anew, since a part of the result is there."""
        self._end = self._loop.time() + self._seconds
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._end, self._end_waiting, "deadline")

    def stop(self) -> None:
        """Watch no longer."""
        self._watching.stop(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            # Its CancelledError holds this object.
            self._task = None

    def watch(self) -> None:
        """Watch from now on."""
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
