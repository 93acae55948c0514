import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo_model import until
from mesh.core.passes import checkpoint
from mesh.serve.inference import SECONDS_OF_PASS, Dispatcher
from mesh.serve.job_queue import QueueFullError
from mesh.serve.jobs import Job
from mesh.serve.metrics import Metrics


class Recorder:
    """Doubles numbers, records the batches, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, requests: Sequence[int]) -> list[int]:
        self.batches.append(list(requests))
        self.started.set()
        assert self.gate.wait(30)
        return [2 * request for request in requests]

    @property
    def computed(self) -> list[int]:
        return [request for batch in self.batches for request in batch]


def make(compute: Any, **limits: Any) -> Dispatcher:
    chosen = {"threads": 1, "queue_size": 64, "max_batch": 8} | limits
    return Dispatcher(compute, Metrics("test"), **chosen)


@settings(max_examples=50)
@given(
    requests=st.lists(st.integers(), max_size=40),
    group=st.integers(1, 7),
    threads=st.integers(1, 4),
    max_batch=st.integers(1, 9),
    wait_ms=st.sampled_from([0, 1]),
)
def test_each_request_is_computed_once_and_gets_its_own_result(
    requests: list[int], group: int, threads: int, max_batch: int, wait_ms: int
) -> None:
    recorder = Recorder()

    async def scenario() -> list[int]:
        dispatcher = make(
            recorder, threads=threads, max_batch=max_batch, wait_seconds=wait_ms / 1000
        )
        dispatcher.start()
        jobs = []
        for start in range(0, len(requests), group):
            jobs += dispatcher.submit(requests[start : start + group])
            await asyncio.sleep(0)
        results = [await job.future for job in jobs]
        dispatcher.close()
        return results

    assert asyncio.run(scenario()) == [2 * request for request in requests]
    assert sorted(recorder.computed) == sorted(requests)
    assert all(1 <= len(batch) <= max_batch for batch in recorder.batches)


@settings(max_examples=50)
@given(data=st.data(), queue_size=st.integers(1, 12), max_batch=st.integers(1, 5))
def test_the_queue_takes_whole_groups_while_they_fit_and_computes_what_was_not_cancelled(
    data: st.DataObject, queue_size: int, max_batch: int
) -> None:
    groups = data.draw(st.lists(st.integers(1, 4), max_size=8))
    recorder = Recorder()

    async def scenario() -> list[int]:
        dispatcher = make(recorder, queue_size=queue_size, max_batch=max_batch)
        dispatcher.start()
        recorder.gate.clear()
        [first] = dispatcher.submit([-1])
        await asyncio.to_thread(recorder.started.wait)
        accepted: list[Job] = []
        for number, size in enumerate(groups):
            requests = [10 * number + place for place in range(size)]
            if len(accepted) + size <= queue_size:
                accepted += dispatcher.submit(requests)
            else:
                with pytest.raises(QueueFullError):
                    dispatcher.submit(requests)
        assert len(dispatcher) == len(accepted)
        cancelled = [job for job in accepted if data.draw(st.booleans())]
        dispatcher.cancel(cancelled)
        kept = [job for job in accepted if job not in cancelled]
        assert len(dispatcher) == len(kept)
        recorder.gate.set()
        for job in (first, *kept):
            assert await job.future == 2 * job.request
        dispatcher.close()
        return [job.request for job in kept]

    kept = asyncio.run(scenario())
    assert recorder.computed == [-1, *kept]
    # One thread takes as much as it may, in order.
    full, rest = divmod(len(kept), max_batch)
    sizes = [len(batch) for batch in recorder.batches[1:]]
    assert sizes == [max_batch] * full + [rest] * bool(rest)


def test_free_threads_share_what_waits() -> None:
    both = threading.Barrier(2)

    def compute(requests: Sequence[int]) -> Sequence[int]:
        both.wait(30)
        return [len(requests)] * len(requests)

    async def scenario() -> list[int]:
        dispatcher = make(compute, threads=2)
        dispatcher.start()
        while dispatcher.free_threads < 2:
            await asyncio.sleep(0.001)
        results = [await job.future for job in dispatcher.submit([1, 2, 3, 4])]
        dispatcher.close()
        return results

    assert asyncio.run(scenario()) == [2, 2, 2, 2]


def test_a_thread_waits_for_its_batch_to_fill() -> None:
    recorder = Recorder()

    async def scenario() -> None:
        dispatcher = make(recorder, max_batch=2, wait_seconds=30)
        dispatcher.start()
        [first] = dispatcher.submit([1])
        await asyncio.wait({first.future}, timeout=0.05)
        assert recorder.batches == []
        [second] = dispatcher.submit([2])
        assert [await first.future, await second.future] == [2, 4]
        dispatcher.close()

    asyncio.run(scenario())
    assert recorder.batches == [[1, 2]]


def test_an_incomplete_batch_is_computed_after_a_while() -> None:
    recorder = Recorder()

    async def scenario() -> None:
        dispatcher = make(recorder, max_batch=2, wait_seconds=0.01)
        dispatcher.start()
        [only] = dispatcher.submit([1])
        assert await only.future == 2
        dispatcher.close()

    asyncio.run(scenario())


def test_a_cancelled_job_that_is_being_computed_is_dropped_when_it_is_done() -> None:
    recorder = Recorder()

    async def scenario() -> None:
        dispatcher = make(recorder)
        dispatcher.start()
        recorder.gate.clear()
        jobs = dispatcher.submit([1])
        await asyncio.to_thread(recorder.started.wait)
        dispatcher.cancel(jobs)
        recorder.gate.set()
        [after] = dispatcher.submit([2])
        assert await after.future == 4
        assert jobs[0].future.cancelled()
        dispatcher.close()

    asyncio.run(scenario())


def test_closing_computes_what_was_accepted_and_ends_the_threads() -> None:
    recorder = Recorder()

    async def scenario() -> None:
        dispatcher = make(recorder, threads=3, max_batch=1)
        before = set(threading.enumerate())
        dispatcher.start()
        threads = set(threading.enumerate()) - before
        jobs = dispatcher.submit([1, 2, 3, 4, 5])
        dispatcher.close()
        assert [await job.future for job in jobs] == [2, 4, 6, 8, 10]
        for thread in threads:
            await asyncio.to_thread(thread.join, 30)
            assert not thread.is_alive()

    asyncio.run(scenario())


def test_an_exception_or_a_wrong_number_of_results_is_the_result_of_the_whole_batch() -> None:
    def compute(requests: Sequence[int]) -> Sequence[int]:
        if requests[0] == 0:
            raise ZeroDivisionError
        return [1]

    async def scenario() -> None:
        dispatcher = make(compute)
        dispatcher.start()
        failed = [await job.future for job in dispatcher.submit([0, 1])]
        assert [type(error) for error in failed] == [ZeroDivisionError, ZeroDivisionError]
        wrong = [await job.future for job in dispatcher.submit([1, 2])]
        assert [str(error) for error in wrong] == ["1 results were computed for 2 requests"] * 2
        dispatcher.close()

    asyncio.run(scenario())


def passes_of(request: int) -> float:
    """Negative numbers are long."""
    return 1 if request >= 0 else 2


class Passes:
    """Computes negative numbers in passes, as long as the gate is closed; others at once.

    Attributes:
        begun: what began to be computed, in order.
        done: what was computed to its end, in order.
    """

    def __init__(self, *, idle: bool = False) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self._idle = idle
        self.started = threading.Event()
        self.ended = threading.Event()
        self.gate = threading.Event()

    def __call__(self, requests: Sequence[int]) -> Sequence[int]:
        self.begun.extend(requests)
        try:
            if requests[0] < 0:
                self.started.set()
                while not self.gate.wait(SECONDS_OF_PASS):
                    checkpoint(idle=self._idle)
            self.done.extend(requests)
            return requests
        finally:
            self.ended.set()


def test_a_long_request_makes_way_between_its_passes_for_short_ones_but_not_for_long_ones() -> None:
    compute = Passes()

    async def scenario() -> None:
        dispatcher = make(compute, threads=2, passes=passes_of)
        dispatcher.start()
        long = dispatcher.submit([-1, -2, -3])
        await until(lambda: not dispatcher.free_threads and len(dispatcher) == 1)
        short = dispatcher.submit([1, 2])
        assert [await job.future for job in short] == [1, 2]
        assert compute.done == [1, 2]
        assert len(dispatcher) == 1
        compute.gate.set()
        assert [await job.future for job in long] == [-1, -2, -3]
        dispatcher.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("long_alone", "batches"),
    [(True, [[1, 2], [-3], [-4], [5, 6]]), (False, [[1, 2, -3, -4, 5, 6]])],
)
def test_a_long_request_is_computed_alone_unless_another_service_gets_it(
    long_alone: bool, batches: list[list[int]]
) -> None:
    recorder = Recorder()

    async def scenario() -> None:
        dispatcher = make(recorder, passes=passes_of, long_alone=long_alone)
        dispatcher.start()
        for job in dispatcher.submit([1, 2, -3, -4, 5, 6]):
            await job.future
        dispatcher.close()

    asyncio.run(scenario())
    assert recorder.batches == batches


def test_a_thread_that_waits_for_another_computes_what_waits_for_it_but_once_only() -> None:
    compute = Passes(idle=True)

    async def scenario() -> None:
        dispatcher = make(compute, max_batch=1)
        dispatcher.start()
        first, second, third = dispatcher.submit([-1, -2, 3])
        await until(lambda: len(compute.begun) == 2)
        await asyncio.sleep(4 * SECONDS_OF_PASS)
        assert compute.begun == [-1, -2]
        compute.gate.set()
        assert [await job.future for job in (first, second, third)] == [-1, -2, 3]
        dispatcher.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("passes", [1, 2])
def test_a_computation_ends_at_a_checkpoint_when_nobody_waits_for_it(passes: int) -> None:
    compute = Passes()

    async def scenario() -> None:
        dispatcher = make(compute, passes=lambda _: passes)
        dispatcher.start()
        jobs = dispatcher.submit([-1])
        await asyncio.to_thread(compute.started.wait, 30)
        dispatcher.cancel(jobs)
        await asyncio.to_thread(compute.ended.wait, 30)
        [after] = dispatcher.submit([2])
        assert await after.future == 2
        dispatcher.close()

    asyncio.run(scenario())
    assert compute.done == [2]


def test_a_batch_goes_on_while_somebody_waits_for_a_part_of_it() -> None:
    compute = Passes()

    async def scenario() -> None:
        dispatcher = make(compute)
        dispatcher.start()
        first, second = dispatcher.submit([-1, -2])
        await asyncio.to_thread(compute.started.wait, 30)
        dispatcher.cancel([first])
        compute.gate.set()
        assert await second.future == -2
        dispatcher.close()

    asyncio.run(scenario())


def test_threads_stall_when_none_ends_a_pass_for_the_deadline() -> None:
    recorder = Recorder()
    passes = Passes()

    async def scenario() -> None:
        dispatcher = make(recorder, deadline_seconds=3 * SECONDS_OF_PASS)
        assert not dispatcher.is_stalled
        dispatcher.start()
        recorder.gate.clear()
        [job] = dispatcher.submit([1])
        await asyncio.to_thread(recorder.started.wait)
        await until(lambda: dispatcher.is_stalled)
        recorder.gate.set()
        await job.future
        await until(lambda: not dispatcher.is_stalled)
        dispatcher.close()

    async def in_passes() -> None:
        dispatcher = make(passes, deadline_seconds=30)
        dispatcher.start()
        jobs = dispatcher.submit([-1])
        await asyncio.to_thread(passes.started.wait, 30)
        assert not dispatcher.is_stalled
        dispatcher.cancel(jobs)
        dispatcher.close()

    asyncio.run(scenario())
    asyncio.run(in_passes())
