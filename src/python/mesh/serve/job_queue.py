"""The requests that wait: which find room, and which are computed next."""

import itertools
from collections import deque
from collections.abc import Sequence

from mesh.serve.jobs import Job


class QueueFullError(Exception):
    """The queue has no room for the requests."""


class JobQueue:
    """A bounded queue, first in first out, in which long requests don't keep short ones out.

    Short ones that find no room take the places of the long ones that came last. The first long
    ones keep theirs: as many as take, together, half as many passes as there are places, so that
    those that are kept are computed before long. Half of the threads compute long ones, at least
    one; while they do, the others take short ones first. Where no short one waits, long ones get
    all places and threads.

    Whoever calls it holds a lock.

    Args:
        size: the number of places.
        max_batch: how many requests are taken together at most.
        threads: the number of those that take requests.
        long_alone: whether each long one is computed alone.
    """

    def __init__(self, size: int, *, max_batch: int, threads: int, long_alone: bool) -> None:
        self.size = size
        self._passes_of_long = size / 2
        self._max_batch = max_batch
        # Those that are computed together with short ones take no thread from them.
        self._threads_of_long = max(1, threads // 2) if long_alone else threads
        self._long_alone = long_alone
        self._jobs: deque[Job] = deque()

    def __len__(self) -> int:
        """The number of waiting requests."""
        return len(self._jobs)

    @property
    def is_full(self) -> bool:
        """Whether not even a short request finds room."""
        return len(self) >= self.size and not self._surplus()

    def add(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Add all of the jobs, or none.

        Returns:
            Those that gave way to them.

        Raises:
            QueueFullError: there is no room for all of them.
        """
        missing = len(self) + len(jobs) - self.size
        giving_way: Sequence[Job] = ()
        if missing > 0:
            if all(job.is_short for job in jobs):
                giving_way = self._surplus()[-missing:]
            if len(giving_way) < missing:
                raise QueueFullError
        for job in giving_way:
            self._jobs.remove(job)
        self._jobs.extend(jobs)
        return giving_way

    def remove(self, job: Job) -> None:
        """Remove a job, if it still waits."""
        if job in self._jobs:
            self._jobs.remove(job)

    def take(self, *, free: int, long_running: int) -> list[Job]:
        """Take the jobs that a thread computes next; none if none waits.

        Args:
            free: how many threads wait for jobs, this one included.
            long_running: how many threads compute a long one.
        """
        if not self._jobs:
            return []
        # The ceiling of an equal part for each free thread.
        part = min(-(-len(self) // free), self._max_batch)
        place = self._first_short() if long_running >= self._threads_of_long else 0
        batch = [self._pop(place)]
        while len(batch) < part and place < len(self) and self._fit(batch[0], self._jobs[place]):
            batch.append(self._pop(place))
        return batch

    def take_short(self) -> list[Job]:
        """Take short jobs, as many as are computed together."""
        batch = [job for job in self._jobs if job.is_short][: self._max_batch]
        for job in batch:
            self._jobs.remove(job)
        return batch

    def _surplus(self) -> list[Job]:
        """The long jobs that would give way to short ones."""
        long = [job for job in self._jobs if not job.is_short]
        passes = itertools.accumulate(job.passes for job in long)
        kept = sum(total <= self._passes_of_long for total in passes)
        return long[max(1, kept) :]

    def _first_short(self) -> int:
        """The place of the first short job, or that of the first one."""
        return next((place for place, job in enumerate(self._jobs) if job.is_short), 0)

    def _pop(self, place: int) -> Job:
        job = self._jobs[place]
        del self._jobs[place]
        return job

    def _fit(self, first: Job, second: Job) -> bool:
        """Whether two jobs may be computed together."""
        if first.is_alone or second.is_alone:
            return False
        return (first.is_short and second.is_short) or not self._long_alone
