"""The distribution of shards over a cluster: retries, and a stop that lets begun shards finish."""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from mesh.backfill.cluster import Cluster
from mesh.backfill.division import Part
from mesh.backfill.job import Job
from mesh.backfill.manifest import ShardRecord
from mesh.backfill.shard import ServiceError
from mesh.backfill.storage import describe, is_transient
from mesh.backfill.worker import Board, make_shard
from mesh.core.errors import MeshError
from mesh.core.tracing import Attributes, ended_span

logger = logging.getLogger(__name__)

_SECONDS_OF_WAIT = 0.5
_SECONDS_BETWEEN_LOOKS = 2.0
_MAX_PAUSE = 30.0

TASK = "backfill"
"""What Ray calls the making of a shard, also in the names of its processes."""

Begun = dict[str, tuple[int, int]]
"""Predictions and rejected rows of the shards that are computed now."""


@dataclass
class _Try:
    part: Part
    number: int = 1
    after: float = 0.0
    begun: float = 0.0


@dataclass
class Distribution:
    """Shards on their way through a cluster.

    Args:
        look: gets `Begun` every few seconds; raises an error to end the run.

    Attributes:
        retries: how often a shard was tried again.
        stopped: whether no more shards begin.
    """

    job: Job
    cluster: Cluster
    look: Callable[[Begun], None]
    retries: int = 0
    stopped: bool = False
    _queue: deque[_Try] = field(default_factory=deque)
    _running: dict[Any, _Try] = field(default_factory=dict)
    _ended: list[str] = field(default_factory=list)
    _board: Any = None
    _task: Any = None
    _files: Sequence[Any] = ()
    _slots: int = 0

    def run(self, parts: Sequence[Part]) -> Iterator[ShardRecord]:
        """Make the shards of parts; yield each record as soon as the shard is finished.

        Raises:
            MeshError: a shard can't be made.
        """
        import ray

        self._queue.extend(map(_Try, parts))
        self._task = self.make_task()
        here = ray.get_runtime_context().get_node_id()
        affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=True)
        actor: Any = ray.remote(Board)
        self._board = actor.options(
            num_cpus=0, scheduling_strategy=affinity, max_restarts=-1, max_task_retries=-1
        ).remote()
        self._files = self._shared_files()
        looked = 0.0
        while (self._queue and not self.stopped) or self._running:
            if time.monotonic() - looked >= _SECONDS_BETWEEN_LOOKS:
                looked = time.monotonic()
                self._slots = self.cluster.slots(self.job.settings)
                self.look(self._look())
            self._submit()
            yield from self._collect()

    def make_task(self) -> Any:
        """What makes a shard on the cluster, by its `remote`."""
        import ray

        options = {"num_cpus": 1, "num_gpus": self.job.settings.gpus_per_worker}
        return ray.remote(make_shard).options(
            **options, max_retries=0, scheduling_strategy="SPREAD", name=TASK
        )

    def stop(self) -> None:
        """Let the shards that have begun finish, and no other one begin; safe in a signal's handler."""
        self.stopped = True

    def _shared_files(self) -> list[Any]:
        """A reference to the files of the version, if workers may be on other machines."""
        import ray

        if self.cluster.embedded:
            return []
        directory = self.job.directory
        found = sorted(directory.rglob("*")) if directory else []
        files = [path for path in found if path.is_file()]
        return [
            ray.put(
                {str(path.relative_to(directory or Path())): path.read_bytes() for path in files}
            )
        ]

    def _submit(self) -> None:
        # Tasks that wait make a cluster grow. An embedded one can't.
        most = self._slots if self.cluster.embedded else 2 * max(1, self._slots)
        most = min(most, self.job.settings.workers or most)
        for _ in range(len(self._queue)):
            if self.stopped or len(self._running) >= most:
                return
            attempt = self._queue.popleft()
            if attempt.after > time.monotonic():
                self._queue.append(attempt)
                continue
            attempt.begun = time.monotonic()
            ref = self._task.remote(self.job, attempt.part, self._files, self._board)
            self._running[ref] = attempt

    def _collect(self) -> Iterator[ShardRecord]:
        import ray

        if not self._running:
            time.sleep(_SECONDS_OF_WAIT)
            return
        waited = list(self._running)
        done, _ = ray.wait(waited, num_returns=1, timeout=_SECONDS_OF_WAIT)
        if done:
            done, _ = ray.wait(waited, num_returns=len(waited), timeout=0)
        for ref in done:
            attempt = self._running.pop(ref)
            self._ended.append(self.job.name(attempt.part))
            try:
                record = ray.get(ref)
            except Exception as error:
                self._trace(attempt, {}, type(getattr(error, "cause", None) or error).__name__)
                self._again(attempt, error)
            else:
                if record is not None:
                    self._trace(
                        attempt, {"mesh.rows": record.rows, "mesh.rejected": record.rejected}
                    )
                    yield record

    def _trace(self, attempt: _Try, result: Attributes, failure: str = "") -> None:
        """Note the span of a shard, from its way to a worker to its record's way back."""
        name = self.job.name(attempt.part)
        about: Attributes = {"mesh.shard": name, "mesh.attempt": attempt.number, **result}
        ended_span("shard", about, time.monotonic() - attempt.begun, failure)

    def _again(self, attempt: _Try, error: Exception) -> None:
        """Try a shard again, if that may help.

        Raises:
            MeshError: it doesn't.
        """
        import ray

        cause = getattr(error, "cause", None) or error
        if isinstance(cause, MeshError):
            raise MeshError(str(cause)) from error
        name = self.job.name(attempt.part)
        lost = isinstance(error, ray.exceptions.RayError) and not isinstance(
            error, ray.exceptions.RayTaskError
        )
        if not lost and not isinstance(cause, ServiceError) and not is_transient(cause):
            raise error
        reason = describe(cause).partition(". ")[0]
        if attempt.number > self.job.settings.retries:
            raise MeshError(
                f"The shard {name} failed {attempt.number} times, at last: {reason}. Finished shards are "
                "kept; the same command goes on."
            ) from error
        self.retries += 1
        logger.warning("shard %s is tried again: %s", name, reason)
        pause = 0 if lost else min(_MAX_PAUSE, 0.5 * 2**attempt.number)
        self._queue.append(_Try(attempt.part, attempt.number + 1, time.monotonic() + pause))

    def _look(self) -> Begun:
        import ray

        if self.stopped:
            # Again and again, since the actor may have been lost.
            self._board.stop.remote()
        ended, self._ended = self._ended, []
        try:
            begun: Begun = ray.get(self._board.look.remote(ended), timeout=10)
        except ray.exceptions.RayError:
            # It is shown later.
            return {}
        return begun


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Have the first Ctrl-C call a function; the second one interrupts as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, usual)
        logger.warning(
            "stopping: shards that have begun are finished; press Ctrl-C again to end at once"
        )
        stop()

    if usual is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
