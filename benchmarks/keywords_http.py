"""Documents a second over HTTP: the mesh's keywords server, and KeyBERT behind BentoML, LitServe and FastAPI.

All servers are started, then get their turns one after the other, while the others are paused; one
document a request.
"""

import json
import logging
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.answers import Answer, check_same
from benchmarks.http_load import Run, closed_loop, each_once
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.peer_servers import PEERS, Peer, peer_requests, peer_server
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.keywords_http")

CLIENTS = (1, 8, 32)
FIRST_PASS_CLIENTS = 8

Turns = dict[tuple[str, str], list[Run]]
"""By what is measured and by whom."""


class HttpSettings(MeshSettings):
    """How much is measured."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(32, ge=8, le=64, description="How many paragraphs to take.")
    rounds: int = Field(
        1, ge=1, description="Turns that every server gets at each number of clients."
    )
    seconds: float = Field(5.0, gt=0, description="Length of a turn.")
    peers: tuple[Peer, ...] = Field(
        PEERS, min_length=1, description="Which of the others to measure."
    )
    cache: Path = Field(
        Path.home() / ".cache" / "mesh-benchmarks",
        description="Where the peers' environments are made.",
    )


@dataclass(frozen=True)
class Contender:
    """A server, what it is sent, and how its answers are read."""

    name: str
    process: ServerProcess
    requests: Sequence[bytes]

    def turn(self, load: Callable[[int, Sequence[bytes]], Run]) -> Run:
        """Send it requests, for which it runs.

        Args:
            load: called with the port and the requests.

        Raises:
            MeshError: an answer is none.
        """
        self.process.resume()
        run = load(self.process.port, self.requests)
        self.process.pause()
        if failed := [answer for answer in run.answers if answer.status != 200]:
            raise MeshError(f"{self.name} answered {failed[0]}.")
        return run

    def keywords(self, body: bytes) -> Answer:
        """The keywords of an answer to one document, with their scores."""
        answer: Any = json.loads(body)
        if self.name == "mesh":
            [output] = answer["outputs"]
            return [
                (found["keyword_token"], found["keyword_score"])
                for found in output["predicted_document"]
            ]
        pairs = answer[0] if self.name == "bentoml" else answer
        return [(str(keyword), float(score)) for keyword, score in pairs]


def run(settings: HttpSettings) -> None:
    """Start the servers, give them turns, check that all answer alike, print the medians.

    Raises:
        MeshError: a server does not start, fails, or answers otherwise than the first of the peers.
    """
    documents = paragraphs()[: settings.documents]
    with ExitStack() as stack:
        contenders = []
        for name in settings.peers:
            logger.info("starting %s", name)
            server = peer_server(name, settings.cache, len(os.sched_getaffinity(0)))
            process = stack.enter_context(server)
            process.pause()
            contenders.append(Contender(name, process, peer_requests(name, documents)))
        folder = stack.enter_context(compiled_keywords())
        mesh = Contender("mesh", stack.enter_context(keywords_server(folder)), requests(documents))
        mesh.process.pause()
        contenders.append(mesh)
        turns: Turns = {}
        _measure_first_pass(contenders, turns)
        for _ in range(settings.rounds):
            for clients in CLIENTS:
                for contender in contenders:
                    logger.info("%s, %d clients", contender.name, clients)
                    turn = contender.turn(
                        partial(closed_loop, clients=clients, seconds=settings.seconds)
                    )
                    turns.setdefault((f"{clients} clients", contender.name), []).append(turn)
        memory = {each.name: each.process.resident_mebibytes() for each in contenders}
    _print(turns, memory, settings)


def _measure_first_pass(contenders: Sequence[Contender], turns: Turns) -> None:
    """Send each document once, and compare the answers."""
    expected: list[Answer] = []
    for contender in contenders:
        logger.info("%s, first pass", contender.name)
        turn = contender.turn(partial(each_once, clients=FIRST_PASS_CLIENTS))
        turns[f"first pass, {FIRST_PASS_CLIENTS} clients", contender.name] = [turn]
        found = [
            contender.keywords(answer.body)
            for answer in sorted(turn.answers, key=lambda answer: answer.request)
        ]
        expected = expected or found
        for theirs, own in zip(expected, found, strict=True):
            check_same(theirs, own, contender.name)


def _print(turns: Turns, memory: dict[str, float], settings: HttpSettings) -> None:
    rates = {key: statistics.median(run.rate for run in runs) for key, runs in turns.items()}
    rows = []
    for (load, name), runs in turns.items():
        best = max(rates[load, peer] for peer in settings.peers)
        p50, p99 = (
            statistics.median(run.percentile(share) for run in runs) * 1e3 for share in (0.5, 0.99)
        )
        rate = rates[load, name]
        rows.append(
            [
                *(f"{load}: {name}", f"{rate:.1f}", f"{rate / best:.2f}x"),
                *(f"{p50:.0f}", f"{p99:.0f}", f"{memory[name]:.0f}"),
            ]
        )
    print_table(
        f"Keywords over HTTP, {settings.documents} paragraphs, {settings.rounds} round(s) of "
        f"{settings.seconds:g} s",
        ("", "documents/s", "to the best peer", "p50 ms", "p99 ms", "resident MiB"),
        rows,
        packages=("onnxruntime", "uvicorn", "starlette"),
        notes=[
            "First pass: each document once, to servers that have seen none. Then all were seen "
            "before.",
            "All answers to the first pass were the same: keywords, order, and scores within "
            "0.001.",
            "Peers: one worker for each core; their versions are in benchmarks/peers/*.txt.",
        ],
    )


main = Program(component="benchmarks", name="keywords_http", run=run, settings=(HttpSettings,))

if __name__ == "__main__":
    main()
