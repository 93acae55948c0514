"""Contestants that compute in turns, each in a process and an environment of its own."""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from benchmarks.peer_servers import CACHE, FOLDER, make_environment
from benchmarks.report import print_table
from mesh.core.errors import MeshError
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.peer_workers")

_POOLS = ("OMP", "MKL", "OPENBLAS", "RAYON")
ONE_THREAD = {f"{pool}_NUM_THREADS": "1" for pool in _POOLS}


class TurnsSettings(MeshSettings):
    """The extent of a measurement in turns."""

    rounds: int = Field(3, ge=1, description="Number of rounds; medians are shown.")
    together: int = Field(8, ge=1, description="Inputs of one turn.")
    cache: Path = Field(CACHE, description="Folder for the peers' environments.")


@dataclass
class Worker:
    """A contestant.

    Args:
        name: its row in the table.
        cpu, wall: seconds for all inputs, in each round.
        outputs: those of the last round.
    """

    name: str
    process: subprocess.Popen[str]
    errors: Path
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)

    def begin(self) -> list[Any]:
        """Begin a round; returns the outputs of the one before."""
        before, self.outputs = self.outputs, []
        self.cpu.append(0.0)
        self.wall.append(0.0)
        return before

    def turn(self, inputs: Sequence[Any]) -> None:
        """Compute, and add the cost to the current round.

        Raises:
            MeshError: it failed.
        """
        answer = self._exchange(inputs)
        self.cpu[-1] += answer["cpu"]
        self.wall[-1] += answer["wall"]
        self.outputs += answer["outputs"]

    def warm_up(self, inputs: Sequence[Any]) -> Self:
        """Wait until it is ready, and compute once: the first call takes longer than the others."""
        self._answer()
        self._exchange(inputs)
        return self

    def _exchange(self, inputs: Sequence[Any]) -> dict[str, Any]:
        assert self.process.stdin  # noqa: S101 - it is a pipe
        print(json.dumps(inputs), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout  # noqa: S101 - it is a pipe
        if not (line := self.process.stdout.readline()):
            printed = self.errors.read_text(errors="replace")[-2000:]
            raise MeshError(f"{self.name} ended; its output:\n{printed}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True)
class Contestant:
    """How to start a worker.

    Args:
        module: with the function `load`; see `peers/worker.py`.
        peer: the requirements file of its environment; None for this repository's code.
        setup: for `load`.
    """

    name: str
    module: str
    peer: str | None = None
    setup: Any = None

    @contextmanager
    def start(self, cache: Path) -> Iterator[Worker]:
        """Start it; stop it after the block.

        Raises:
            MeshError: its environment can't be made.
        """
        python, path = Path(sys.executable), os.pathsep.join(entry for entry in sys.path if entry)
        if self.peer is not None:
            python, path = make_environment(FOLDER / f"{self.peer}.txt", cache) / "bin/python", ""
        command = [str(python), str(FOLDER / "worker.py"), self.module, json.dumps(self.setup)]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path, "MESH_LOG_LEVEL": "WARNING"}
        with tempfile.NamedTemporaryFile(prefix="worker-") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
            with process:
                try:
                    yield Worker(self.name, process, Path(errors.name))
                finally:
                    process.kill()


def measure(
    contestants: Sequence[Contestant],
    inputs: Sequence[Any],
    settings: TurnsSettings,
) -> list[Worker]:
    """Let contestants compute in turns of a few inputs, one thread each.

    Raises:
        MeshError: a contestant can't be started, fails, or has other outputs in another round.
    """
    with ExitStack() as stack:
        workers = []
        for contestant in contestants:
            logger.info("starting %s", contestant.name)
            worker = stack.enter_context(contestant.start(settings.cache))
            workers.append(worker.warm_up(inputs[: settings.together]))
        for number in range(settings.rounds):
            logger.info("round %d", number + 1)
            before = [worker.begin() for worker in workers]
            for first in range(0, len(inputs), settings.together):
                for worker in workers:
                    worker.turn(inputs[first : first + settings.together])
            for worker, outputs in zip(workers, before, strict=True):
                if number and outputs != worker.outputs:
                    raise MeshError(f"{worker.name} has other outputs in another round.")
        return workers


def print_workers(title: str, workers: Sequence[Worker], inputs: int, notes: Iterable[str]) -> None:
    """Print the cost of an input: medians over the rounds.

    Args:
        inputs: their number.
        notes: sentences about the outputs.
    """
    first = workers[0]
    print_table(
        f"{title}, median of {len(first.cpu)} round(s), one thread each",
        ("", "CPU ms each", "CPU, of the first row", "wall ms each", "wall, of the first row"),
        [
            [
                worker.name,
                *_figures(worker.cpu, first.cpu, inputs),
                *_figures(worker.wall, first.wall, inputs),
            ]
            for worker in workers
        ],
        packages=["numpy"],
        notes=[*notes, "Versions of peers: benchmarks/peers/*.txt."],
    )


def _figures(own: Sequence[float], first: Sequence[float], inputs: int) -> list[str]:
    ratio = statistics.median(mine / other for mine, other in zip(own, first, strict=True))
    return [f"{statistics.median(own) / inputs * 1e3:.3g}", f"{ratio:.2f}x"]
