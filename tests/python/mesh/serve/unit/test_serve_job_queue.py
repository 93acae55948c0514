from collections.abc import Sequence
from typing import Any, cast

import pytest

from mesh.serve.job_queue import JobQueue, QueueFullError
from mesh.serve.jobs import Job


def job(name: str, passes: float = 1) -> Job:
    return Job(name, cast(Any, None), passes)


def long(name: str) -> Job:
    return job(name, 2)


def names(jobs: Sequence[Job]) -> list[str]:
    return [each.request for each in jobs]


def make(
    size: int = 4, *, max_batch: int = 8, threads: int = 2, long_alone: bool = True
) -> JobQueue:
    return JobQueue(size, max_batch=max_batch, threads=threads, long_alone=long_alone)


def taken(queue: JobQueue, *, free: int = 1, long_running: int = 0) -> list[list[str]]:
    """The batches that are taken until none is left."""
    batches = []
    while batch := queue.take(free=free, long_running=long_running):
        batches.append(names(batch))
    return batches


def test_long_requests_fill_the_queue_while_no_short_one_needs_their_places() -> None:
    queue = make()
    assert queue.add([long(name) for name in "ABCD"]) == ()
    assert not queue.is_full
    with pytest.raises(QueueFullError):
        queue.add([long("E")])
    assert taken(queue) == [["A"], ["B"], ["C"], ["D"]]


def test_the_long_requests_that_came_last_give_way_to_short_ones() -> None:
    queue = make(size=8)
    queue.add([long(name) for name in "ABCDEFGH"])
    assert names(queue.add([job("a"), job("b")])) == ["G", "H"]
    assert names(queue.add([job("c")])) == ["F"]
    assert taken(queue) == [["A"], ["B"], ["C"], ["D"], ["E"], ["a", "b", "c"]]


def test_long_requests_keep_places_for_half_as_many_passes_as_there_are_places() -> None:
    queue = make(size=8)
    queue.add([job("A", 2), job("B", 2), job("C", 2), *map(job, "abcde")])
    assert not queue.is_full
    with pytest.raises(QueueFullError):
        queue.add([job("f"), job("g")])
    assert names(queue.add([job("f")])) == ["C"]
    assert queue.is_full
    with pytest.raises(QueueFullError):
        queue.add([job("g")])
    assert len(queue) == 8


def test_the_first_long_request_keeps_its_place_however_long_it_is() -> None:
    queue = make(size=1)
    queue.add([job("A", 1000)])
    assert queue.is_full
    with pytest.raises(QueueFullError):
        queue.add([job("a")])


def test_threads_take_short_requests_first_while_half_of_them_compute_long_ones() -> None:
    queue = make(size=8, threads=4)
    queue.add([long("A"), job("a"), long("B"), job("b"), job("c")])
    assert names(queue.take(free=2, long_running=2)) == ["a"]
    assert names(queue.take(free=1, long_running=1)) == ["A"]
    assert taken(queue, long_running=2) == [["b", "c"], ["B"]]


def test_long_requests_that_another_service_computes_are_taken_in_their_turn() -> None:
    queue = make(threads=2, long_alone=False)
    queue.add([long("A"), job("a")])
    assert taken(queue, long_running=1) == [["A", "a"]]


def test_a_stream_is_long_whatever_its_passes() -> None:
    queue = make()
    stream = Job("A", cast(Any, None), 1, is_alone=True)
    queue.add([stream, job("a"), job("b")])
    assert names(queue.take_short()) == ["a", "b"]
    assert taken(queue) == [["A"]]


def test_a_job_is_removed_once_and_only_where_it_waits() -> None:
    queue = make()
    first, second = job("a"), job("b")
    queue.add([first, second])
    for _ in range(2):
        queue.remove(first)
    assert taken(queue) == [["b"]]
