"""Documents per second over HTTP: the keywords server, and KeyBERT in BentoML, LitServe, FastAPI.

All servers are started; then they take turns, while the others are paused. Each request has one
document.
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

from benchmarks.answers import Keywords, check_nearly_same, check_same
from benchmarks.http_load import Run, closed_loop, each_once
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.peer_servers import PEERS, Peer, peer_requests, peer_server
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.keywords_http")

MESH = "mesh"
CLIENTS = (1, 8, 32)
FIRST_PASS_CLIENTS = 8

Turns = dict[tuple[str, str], list[Run]]
"""The runs, by load and server."""


class HttpSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(32, ge=8, le=64, description="Number of paragraphs.")
    rounds: int = Field(1, ge=1, description="Turns of every server at each number of clients.")
    seconds: float = Field(5.0, gt=0, description="Length of a turn.")
    peers: tuple[Peer, ...] = Field(
        PEERS, min_length=1, description="The other servers to measure."
    )
    precisions: tuple[Precision, ...] = Field(
        (),
        description="Lower precisions, in each of which another server of the mesh computes, by "
        "OpenVINO; the processor must have them.",
    )
    cache: Path = Field(
        Path.home() / ".cache" / "mesh-benchmarks",
        description="Folder for the peers' environments.",
    )


@dataclass(frozen=True)
class Contender:
    """A server with its requests and the format of its responses."""

    name: str
    process: ServerProcess
    requests: Sequence[bytes]

    def turn(self, load: Callable[[int, Sequence[bytes]], Run]) -> Run:
        """Let it run and send it requests.

        Args:
            load: called with the port and the requests.

        Raises:
            MeshError: a response is an error.
        """
        self.process.resume()
        run = load(self.process.port, self.requests)
        self.process.pause()
        if failed := [response for response in run.responses if response.status != 200]:
            raise MeshError(f"{self.name} returned {failed[0]}.")
        return run

    def keywords(self, body: bytes) -> Keywords:
        """The keywords in a response to one document, with their scores."""
        response: Any = json.loads(body)
        if self.name.startswith(MESH):
            [output] = response["outputs"]
            return [
                (found["keyword_token"], found["keyword_score"])
                for found in output["predicted_document"]
            ]
        pairs = response[0] if self.name == "bentoml" else response
        return [(str(keyword), float(score)) for keyword, score in pairs]


def run(settings: HttpSettings) -> None:
    """Start the servers, let them take turns, compare their keywords, print the medians.

    Raises:
        MeshError: a server doesn't start, fails, or finds other keywords than the first peer.
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
        servers = {MESH: stack.enter_context(keywords_server(folder))}
        if settings.precisions:
            fast = stack.enter_context(
                compiled_keywords("openvino", precisions=(FLOAT32, *settings.precisions))
            )
            for precision in settings.precisions:
                server = keywords_server(fast, f"--precision={precision}")
                servers[f"{MESH}, {precision}"] = stack.enter_context(server)
        for name, process in servers.items():
            process.pause()
            contenders.append(Contender(name, process, requests(documents)))
        turns: Turns = {}
        compared = _measure_first_pass(contenders, turns)
        for _ in range(settings.rounds):
            for clients in CLIENTS:
                for contender in contenders:
                    logger.info("%s, %d clients", contender.name, clients)
                    turn = contender.turn(
                        partial(closed_loop, clients=clients, seconds=settings.seconds)
                    )
                    turns.setdefault((f"{clients} clients", contender.name), []).append(turn)
        memory = {each.name: each.process.resident_mebibytes() for each in contenders}
    _print(turns, memory, settings, compared)


def _measure_first_pass(contenders: Sequence[Contender], turns: Turns) -> list[str]:
    """Send each document once, and compare the keywords.

    Returns:
        A sentence on each server that computes in a lower precision.
    """
    expected: list[Keywords] = []
    compared = []
    for contender in contenders:
        logger.info("%s, first pass", contender.name)
        turn = contender.turn(partial(each_once, clients=FIRST_PASS_CLIENTS))
        turns[f"first pass, {FIRST_PASS_CLIENTS} clients", contender.name] = [turn]
        found = [
            contender.keywords(response.body)
            for response in sorted(turn.responses, key=lambda response: response.request)
        ]
        expected = expected or found
        if contender.name.startswith(f"{MESH}, "):
            compared.append(check_nearly_same(expected, found, contender.name))
            continue
        for theirs, own in zip(expected, found, strict=True):
            check_same(theirs, own, contender.name)
    return compared


def _print(
    turns: Turns, memory: dict[str, float], settings: HttpSettings, compared: Sequence[str]
) -> None:
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
        packages=("onnxruntime", "openvino", "uvicorn", "starlette"),
        notes=[
            "First pass: each document once, to fresh servers. After it, all documents were seen "
            "before.",
            "All results of the first pass in float32 were the same: keywords, order, and scores "
            "within 0.001.",
            *compared,
            "Peers: one worker for each core; their versions are in benchmarks/peers/*.txt.",
        ],
    )


main = Program(component="benchmarks", name="keywords_http", run=run, settings=(HttpSettings,))

if __name__ == "__main__":
    main()
