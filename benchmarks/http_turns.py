"""Servers under load in turns; the others are paused meanwhile."""

import logging
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from benchmarks.http_load import Run, closed_loop, each_once
from benchmarks.peer_servers import CACHE, PEERS, Peer
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess
from mesh.core.errors import MeshError
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.http_turns")

MESH = "mesh"
"""What the names of the mesh's own servers begin with."""
CLIENTS = (1, 8, 32)
FIRST_PASS_CLIENTS = 8
WORKERS = len(os.sched_getaffinity(0))
"""Processes of a peer: one for each core."""


class TurnsSettings(MeshSettings):
    """The extent of the measurement."""

    rounds: int = Field(1, ge=1, description="Turns of every server at each number of clients.")
    seconds: float = Field(5.0, gt=0, description="Length of a turn.")
    peers: tuple[Peer, ...] = Field(
        PEERS, min_length=1, description="The other servers to measure."
    )
    cache: Path = Field(CACHE, description="Folder for the peers' environments.")


@dataclass(frozen=True)
class Turn:
    """A server's responses, and the CPU time of its processes meanwhile."""

    run: Run
    cpu_seconds: float

    @property
    def cpu_each(self) -> float:
        """CPU seconds for a response."""
        return self.cpu_seconds / len(self.run.responses)


@dataclass(frozen=True)
class Contender:
    """A server with its requests, one for each document.

    Args:
        answer: reads the body of a response.
    """

    name: str
    process: ServerProcess
    requests: Sequence[bytes]
    answer: Callable[[bytes], Any]

    def turn(self, load: Callable[[int, Sequence[bytes]], Run]) -> Turn:
        """Let it run and send it requests.

        Args:
            load: called with the port and the requests.

        Raises:
            MeshError: a response is an error.
        """
        before = self.process.cpu_seconds()
        self.process.resume()
        run = load(self.process.port, self.requests)
        self.process.pause()
        if failed := [response for response in run.responses if response.status != 200]:
            raise MeshError(f"{self.name} returned {failed[0]}.")
        return Turn(run, self.process.cpu_seconds() - before)


Turns = dict[tuple[str, str], list[Turn]]
"""The turns, by load and server."""


@contextmanager
def paused(
    name: str,
    server: AbstractContextManager[ServerProcess],
    requests: Sequence[bytes],
    answer: Callable[[bytes], Any],
) -> Iterator[Contender]:
    """Start a contender, which waits for its turns; stop it after the block."""
    logger.info("starting %s", name)
    with server as process:
        process.pause()
        yield Contender(name, process, requests, answer)


def take_turns(
    contenders: Sequence[Contender],
    settings: TurnsSettings,
    check: Callable[[str, Sequence[Any], Sequence[Any]], None],
) -> Turns:
    """Send each document once to all contenders, and then in turns at each number of clients.

    Args:
        check: called for each contender with its name, the answers of the first contender for
            all documents, and its own.

    Raises:
        MeshError: a response is an error.
    """
    turns: Turns = {}
    expected: list[Any] = []
    for contender in contenders:
        logger.info("%s, first pass", contender.name)
        turn = contender.turn(partial(each_once, clients=FIRST_PASS_CLIENTS))
        turns[f"first pass, {FIRST_PASS_CLIENTS} clients", contender.name] = [turn]
        responses = sorted(turn.run.responses, key=lambda response: response.request)
        found = [contender.answer(response.body) for response in responses]
        expected = expected or found
        check(contender.name, expected, found)
    for _ in range(settings.rounds):
        for clients in CLIENTS:
            for contender in contenders:
                logger.info("%s, %d clients", contender.name, clients)
                turn = contender.turn(
                    partial(closed_loop, clients=clients, seconds=settings.seconds)
                )
                turns.setdefault((f"{clients} clients", contender.name), []).append(turn)
    return turns


def print_turns(
    title: str, contenders: Sequence[Contender], turns: Turns, notes: Sequence[str]
) -> None:
    """Print the medians, beside those of the best contender that isn't the mesh's."""
    memory = {each.name: each.process.resident_mebibytes() for each in contenders}
    peers = [each.name for each in contenders if not each.name.startswith(MESH)]
    rates = {key: statistics.median(turn.run.rate for turn in some) for key, some in turns.items()}
    costs = {key: statistics.median(turn.cpu_each for turn in some) for key, some in turns.items()}
    rows = []
    for (load, name), some in turns.items():
        best = max(rates[load, peer] for peer in peers)
        cheapest = min(costs[load, peer] for peer in peers)
        p50, p99 = (
            statistics.median(turn.run.percentile(share) for turn in some) * 1e3
            for share in (0.5, 0.99)
        )
        rate, cost = rates[load, name], costs[load, name]
        rows.append(
            [
                *(f"{load}: {name}", f"{rate:.1f}", f"{rate / best:.2f}x"),
                *(f"{cost * 1e3:.1f}", f"{cheapest / cost:.2f}x"),
                *(f"{p50:.0f}", f"{p99:.0f}", f"{memory[name]:.0f}"),
            ]
        )
    print_table(
        title,
        (
            *("", "documents/s", "to the best peer", "CPU ms each", "documents per CPU second"),
            *("p50 ms", "p99 ms", "resident MiB"),
        ),
        rows,
        packages=("onnxruntime", "openvino", "uvicorn", "starlette"),
        notes=[
            *notes,
            "Documents per CPU second: beside the peer that has the most.",
            "Peers: one worker for each core; their versions are in benchmarks/peers/*.txt.",
        ],
    )
