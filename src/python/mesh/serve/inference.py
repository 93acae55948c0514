"""Inference: a bounded queue, and threads that take micro-batches from it and compute them.

A computation passes checkpoints (`mesh.core.passes`). There it ends if nobody waits for it any
more, and a long one makes way: its thread computes the short requests that wait.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from mesh.core.passes import AbandonedError, watched
from mesh.serve.computation import as_result
from mesh.serve.job_queue import JobQueue, QueueFullError
from mesh.serve.jobs import BatchTraces, Job
from mesh.serve.metrics import Metrics
from mesh.serve.workers import Workers

Compute = Callable[[Sequence[Any]], Sequence[Any]]

PART_OF_DEADLINE = 0.5
"""How much of it a computation may take that says so before; the rest is for reading and waiting."""
SECONDS_OF_PASS = 0.05
"""Checkpoints that follow sooner are passed over."""


_NO_SPAN = contextlib.nullcontext()


class Dispatcher:
    """Hands requests from the event loop to threads and results back.

    A free thread takes waiting requests at once: a long one alone, of short ones at most
    `max_batch`, and no more than its fraction when other threads are free too. Which of them find
    room, and which are next, is the matter of `JobQueue`. Jobs whose future was cancelled while
    they waited are not computed.

    Args:
        compute: called in the threads with 1 to `max_batch` requests; returns as many results,
            exceptions among them being the results of single requests.
        wait_seconds: how long a thread waits for `max_batch` requests once it has one.
        passes: about how many passes a request takes; called on the event loop.
        long_alone: whether the others are computed alone.
        deadline_seconds: how long a request may take, as the caller sees to.
        stuck_seconds: how long the threads may stand still before they are given up.
        traces: makes the spans of batches, where they are traced.
    """

    def __init__(
        self,
        compute: Compute,
        metrics: Metrics,
        *,
        threads: int,
        queue_size: int,
        max_batch: int,
        wait_seconds: float = 0,
        passes: Callable[[Any], float] = lambda _: 1,
        long_alone: bool = True,
        deadline_seconds: float = math.inf,
        stuck_seconds: float = math.inf,
        traces: BatchTraces | None = None,
    ) -> None:
        self.longest_seconds = deadline_seconds * PART_OF_DEADLINE
        self._deadline_seconds = deadline_seconds
        self._passes = passes
        # When a thread last began or ended a pass.
        self._moved = math.inf
        self._compute = compute
        self._metrics = metrics
        self._workers = Workers(
            self._work, wanted=threads, is_stuck=lambda: self._has_stood_still(stuck_seconds)
        )
        self._max_batch = max_batch
        self._wait_seconds = wait_seconds
        self._queue = JobQueue(
            queue_size, max_batch=max_batch, threads=threads, long_alone=long_alone
        )
        self._free = 0
        self._long_running = 0
        self._closed = False
        self._is_waking = False
        # Entered itself where it is enough: a condition enters it by code in Python.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._traces = traces
        metrics.queue_depth.set_function(lambda: len(self))
        metrics.threads.set_function(lambda: len(self._workers))

    def __len__(self) -> int:
        """The number of waiting requests."""
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether the queue has no room, not even for a short request."""
        # A look at the length alone needs no lock.
        if len(self._queue) < self._queue.size:
            return False
        with self._lock:
            return self._queue.is_full

    @property
    def free_threads(self) -> int:
        """The number of threads that wait for requests."""
        return self._free

    @property
    def is_stalled(self) -> bool:
        """Whether no thread is free, and none has ended a pass for as long as the deadline."""
        return self._has_stood_still(self._deadline_seconds)

    @property
    def is_able(self) -> bool:
        """Whether requests are computed: all threads work, and don't stand still."""
        return self._workers.is_complete and not self.is_stalled

    def _has_stood_still(self, seconds: float) -> bool:
        return not self._free and time.monotonic() - self._moved > seconds

    def start(self, give_up: Callable[[str], None] = lambda _: None) -> None:
        """Start the threads; results go to the running event loop.

        Args:
            give_up: gets the reason, as a sentence, why the threads can't go on.
        """
        self._loop = asyncio.get_running_loop()
        self._workers.start(give_up)

    def close(self) -> None:
        """Let the threads end once the queue is empty."""
        self._workers.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def submit(self, requests: Sequence[Any], *, alone: bool = False) -> list[Job]:
        """Queue all of the requests, or none; call it on the event loop.

        Long ones that give way to them get `QueueFullError` as their result.

        Args:
            alone: they are computed one by one, and make way for short ones.

        Raises:
            QueueFullError: there is no room for all of them.
        """
        loop = asyncio.get_running_loop()
        jobs = [
            Job(request, loop.create_future(), self._passes(request), alone) for request in requests
        ]
        if self._traces:
            for job in jobs:
                job.trace = self._traces.submitted()
        with self._lock:
            giving_way = self._queue.add(jobs)
        if giving_way:
            _set_results(giving_way, [QueueFullError()] * len(giving_way))
        if not self._is_waking:
            # Once for all requests that the event loop finds at the same time.
            self._is_waking = True
            loop.call_soon(self._wake)
        return jobs

    def _wake(self) -> None:
        self._is_waking = False
        with self._changed:
            self._changed.notify(len(self._queue))

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Cancel the jobs that aren't done; those that still wait leave the queue."""
        # The future of a task that was cancelled while it waited is cancelled already.
        unfinished = [job for job in jobs if job.future.cancelled() or not job.future.done()]
        if not unfinished:
            return
        with self._lock:
            for job in unfinished:
                job.future.cancel()
                self._queue.remove(job)

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                self._run(batch, within=False)
            finally:
                self._count_long(batch, -1)

    def _run(self, batch: Sequence[Job], *, within: bool) -> None:
        """Compute a batch, maybe within the computation of another one."""
        try:
            self._compute_batch(batch, within)
        except AbandonedError:
            # Nobody waits for the results.
            self._moved = time.monotonic()
        except BaseException as error:
            self._hand_over(batch, [as_result(error)] * len(batch))
            raise

    def _compute_batch(self, batch: Sequence[Job], within: bool) -> None:
        self._metrics.batch_size.observe(len(batch))
        started = self._moved = time.monotonic()
        for job in batch:
            self._metrics.queue_seconds.observe(started - job.submitted)
        with self._span(batch), watched(_BatchWatch(self, batch, within)):
            results = self._results([job.request for job in batch])
        self._moved = time.monotonic()
        self._metrics.batch_seconds.observe(self._moved - started)
        self._hand_over(batch, results)

    def _span(self, batch: Sequence[Job]) -> AbstractContextManager[object]:
        return self._traces.batch(batch) if self._traces else _NO_SPAN

    def end_pass(self, *, make_way: bool) -> None:
        """Note that a thread ended a pass; let it compute the short requests that wait, if any."""
        self._moved = time.monotonic()
        if make_way and self._queue and (batch := self._take_short()):
            self._run(batch, within=True)

    def _next_batch(self) -> list[Job]:
        """Wait for requests and take them; none once closed."""
        with self._changed:
            self._free += 1
            try:
                while True:
                    self._changed.wait_for(lambda: self._queue or self._closed)
                    if not self._queue:
                        return []
                    if self._wait_seconds:
                        self._changed.wait_for(self._is_batch_full, self._wait_seconds)
                    if batch := self._take():
                        return batch
            finally:
                self._free -= 1

    def _is_batch_full(self) -> bool:
        return self._closed or len(self._queue) >= self._max_batch

    def _take(self) -> list[Job]:
        batch = self._queue.take(free=self._free, long_running=self._long_running)
        if batch:
            self._count_long(batch, 1)
        if self._queue:
            self._changed.notify()
        return batch

    def _count_long(self, batch: Sequence[Job], change: int) -> None:
        """Count the threads that compute long requests."""
        if not batch[0].is_short:
            with self._lock:
                self._long_running += change

    def _take_short(self) -> list[Job]:
        """The short requests that wait, unless other threads are free to take them."""
        with self._changed:
            return [] if self._free else self._queue.take_short()

    def _results(self, requests: Sequence[Any]) -> Sequence[Any]:
        try:
            results = self._compute(requests)
        except BaseException as error:
            return [as_result(error)] * len(requests)
        if len(results) != len(requests):
            wrong = RuntimeError(
                f"{len(results)} results were computed for {len(requests)} requests"
            )
            return [wrong] * len(requests)
        return results

    def _hand_over(self, batch: Sequence[Job], results: Sequence[Any]) -> None:
        assert self._loop is not None  # noqa: S101 - threads are started with it
        self._metrics.count_predictions(results)
        # RuntimeError: the loop is closed, since the server stopped waiting.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_set_results, batch, results)


class _BatchWatch:
    """Watches the computation of a batch."""

    def __init__(self, dispatcher: Dispatcher, batch: Sequence[Job], within: bool) -> None:
        self.longest_seconds = dispatcher.longest_seconds
        self._dispatcher = dispatcher
        self._batch = batch
        self._within = within
        self._passed = time.monotonic()

    def checkpoint(self, *, idle: bool) -> None:
        """End the computation if nobody waits for it; if it is long or idle, make way."""
        if time.monotonic() - self._passed < SECONDS_OF_PASS:
            return
        if all(job.future.cancelled() for job in self._batch):
            raise AbandonedError
        is_long = idle or not self._batch[0].is_short
        self._dispatcher.end_pass(make_way=is_long and not self._within)
        self._passed = time.monotonic()


def _set_results(batch: Sequence[Job], results: Sequence[Any]) -> None:
    for job, result in zip(batch, results, strict=True):
        if not job.future.done():
            job.future.set_result(result)
