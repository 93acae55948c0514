"""The queue of a server under overload, with giant requests among small ones.

Computations sleep instead, so that other work on the machine hardly counts.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.http_load import percentile
from benchmarks.report import print_table
from mesh.core.passes import checkpoint
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.serve.inference import Dispatcher
from mesh.serve.job_queue import QueueFullError
from mesh.serve.metrics import Metrics

THREADS = 2
SECONDS_OF_SMALL = 0.01
PASSES_OF_GIANT = 8
SECONDS_OF_PASS = 0.06
DEADLINE_SECONDS = 10
RATES = ((0.5, 0.01), (4, 0), (4, 0.01), (4, 0.05), (1.5, 0.3))
"""What is offered, of what the threads compute of small ones, and the fraction of giants."""


class FairnessSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    seconds: float = Field(12, gt=0, description="Duration of each rate.")


class _Turn:
    """Requests at a rate and random times; whether each is a giant is its content.

    Attributes:
        seconds: of the responses, by whether they are to giants.
        late: how many requests passed their deadline, and `refused` how many found no room.
    """

    def __init__(self, rate: float, giants: float) -> None:
        self.seconds: dict[bool, list[float]] = {False: [], True: []}
        self.late: Counter[bool] = Counter()
        self.refused: Counter[bool] = Counter()
        self.total = 0.0
        self._rate = rate
        self._giants = giants
        self._dispatcher = Dispatcher(
            _compute,
            Metrics("fairness"),
            threads=THREADS,
            queue_size=64,
            max_batch=8,
            passes=lambda is_giant: PASSES_OF_GIANT if is_giant else 1,
            deadline_seconds=DEADLINE_SECONDS,
        )

    async def run(self, seconds: float) -> None:
        """Send requests for so long, and wait for all responses."""
        self._dispatcher.start()
        started = due = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            while due < started + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                tasks.create_task(self._send(random.random() < self._giants))  # noqa: S311
                due += random.expovariate(self._rate)
        self.total = time.monotonic() - started
        self._dispatcher.close()

    async def _send(self, is_giant: bool) -> None:
        started = time.monotonic()
        try:
            [job] = self._dispatcher.submit([is_giant])
        except QueueFullError:
            self.refused[is_giant] += 1
            return
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                result = await job.future
        except TimeoutError:
            self._dispatcher.cancel([job])
            self.late[is_giant] += 1
            return
        if isinstance(result, QueueFullError):
            self.refused[is_giant] += 1
        else:
            self.seconds[is_giant].append(time.monotonic() - started)


def _compute(requests: Sequence[bool]) -> Sequence[bool]:
    if requests[0]:
        for _ in range(PASSES_OF_GIANT):
            time.sleep(SECONDS_OF_PASS)
            checkpoint()
    else:
        time.sleep(SECONDS_OF_SMALL * len(requests))
    return requests


def main_run(settings: FairnessSettings) -> None:
    """Send each mix, print the results."""
    capacity = THREADS / SECONDS_OF_SMALL
    rows = []
    for share, giants in RATES:
        turn = _Turn(share * capacity, giants)
        asyncio.run(turn.run(settings.seconds))
        rows.append([f"{share:g}x", f"{giants:.0%}", *_figures(turn, False), *_figures(turn, True)])
    columns = ("/s", "p50 s", "p99 s", "refused", "late")
    print_table(
        f"Two threads compute {capacity:g} small requests a second; {settings.seconds:g} s each",
        (
            *("offered", "giants"),
            *(f"small {name}" for name in columns),
            *(f"giants {name}" for name in columns),
        ),
        rows,
    )


def _figures(turn: _Turn, is_giant: bool) -> list[str]:
    seconds = turn.seconds[is_giant]
    times = [f"{percentile(seconds, part):.2f}" if seconds else "" for part in (0.5, 0.99)]
    counts = [str(counted[is_giant]) for counted in (turn.refused, turn.late)]
    return [f"{len(seconds) / turn.total:.1f}", *times, *counts]


main = Program(
    component="benchmarks", name="queue_fairness", run=main_run, settings=(FairnessSettings,)
)

if __name__ == "__main__":
    main()
