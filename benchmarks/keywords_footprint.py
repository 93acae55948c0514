"""Start-up time, memory and model size of the keywords server, and of KeyBERT in other servers.

They run one at a time and in turns, each with one process that computes.
"""

import logging
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.http_load import each_once
from benchmarks.keywords_serving import requests
from benchmarks.models import WEIGHTS, compiled_keywords, paragraphs
from benchmarks.peer_servers import PEERS, Peer, peer_environment, peer_requests, peer_server
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess, free_port, start
from keywords.project import PROJECT
from mesh.core.card import COMPILED, ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.keywords_footprint")


class Settings(MeshSettings):
    """Measure start-up and memory of servers."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    starts: int = Field(
        2, ge=1, description="How often each server is started, after one uncounted start."
    )
    documents: int = Field(
        16, ge=1, le=64, description="Paragraphs that it processes before its memory is read."
    )
    peers: tuple[Peer, ...] = Field(PEERS, description="The other servers to measure.")
    cache: Path = Field(
        Path.home() / ".cache" / "mesh-benchmarks",
        description="Folder for the peers' environments.",
    )


@dataclass(frozen=True)
class Measurement:
    """The cost of one start of a server.

    Args:
        seconds: until it was ready.
        cpu_seconds: the same in CPU time, in which other work on the machine doesn't count.
        first_response: seconds.
        resident, anonymous: MiB after the documents; the part of it without files.
    """

    seconds: float
    cpu_seconds: float
    first_response: float
    resident: float
    anonymous: float


@dataclass
class Contestant:
    """A server.

    Args:
        start: starts it and waits until it is ready.
        requests: one for each document.
        model_bytes: size of the files that it loads.
    """

    name: str
    start: Callable[[], AbstractContextManager[ServerProcess]]
    requests: Sequence[bytes]
    model_bytes: int
    measurements: list[Measurement] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Median of a field, without the first start, which reads files from disk and compiles."""
        return statistics.median(float(getattr(each, name)) for each in self.measurements[1:])


def run(settings: Settings) -> None:
    """Start the servers in turns and print the table.

    Raises:
        MeshError: a server doesn't become ready or doesn't respond.
    """
    documents = paragraphs()[: settings.documents]
    for name in settings.peers:
        peer_environment(name, settings.cache)
    with compiled_keywords() as directory:
        contestants = [_keywords(version_of(directory), documents)]
        contestants += [_peer(name, settings.cache, documents) for name in settings.peers]
        for _ in range(settings.starts + 1):
            for contestant in contestants:
                logger.info("starting %s", contestant.name)
                contestant.measurements.append(_measure(contestant))
    print_table(
        f"Warm starts, median of {settings.starts}; memory after {settings.documents} paragraphs",
        (
            *("", "ready, s", "of a core, s", "first response, ms"),
            *("resident, MiB", "of it not from files, MiB", "model files, MB"),
        ),
        [
            [
                contestant.name,
                f"{contestant.median('seconds'):.2f}",
                f"{contestant.median('cpu_seconds'):.2f}",
                f"{contestant.median('first_response') * 1e3:.0f}",
                f"{contestant.median('resident'):.0f}",
                f"{contestant.median('anonymous'):.0f}",
                f"{contestant.model_bytes / 1e6:.0f}",
            ]
            for contestant in contestants
        ],
        packages=("onnxruntime", "uvicorn", "starlette"),
        notes=["Peers: one worker each; their versions are in benchmarks/peers/*.txt."],
    )


def version_of(directory: Path) -> Path:
    """A version with a compiled model, which is moved into its folder."""
    version = directory.parent / "version"
    (version / COMPILED).parent.mkdir(parents=True)
    directory.rename(version / COMPILED)
    ModelCard(
        project=PROJECT.name,
        model_type="compiled",
        code_revision="unknown",
        fingerprint="benchmark",
    ).write(version)
    Manifest.of(version).write(version)
    return version


def _keywords(version: Path, documents: Sequence[str]) -> Contestant:
    """This repository's server."""

    def start_keywords() -> AbstractContextManager[ServerProcess]:
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "mesh.core.start",
            "keywords.serve",
            "serve",
            f"--port={port}",
        ]
        return start([*command, f"--model-directory={version}"], port, ready="/v1/ready")

    size = Manifest.read(version / COMPILED).size
    return Contestant("mesh", start_keywords, requests(documents), size)


def _peer(name: Peer, cache: Path, documents: Sequence[str]) -> Contestant:
    """KeyBERT in another server."""
    return Contestant(
        name,
        lambda: peer_server(name, cache, workers=1),
        peer_requests(name, documents),
        Manifest.of(WEIGHTS).size,
    )


def _measure(contestant: Contestant) -> Measurement:
    """Start a server, send it documents one after another, and stop it."""
    since = time.perf_counter()
    with contestant.start() as server:
        seconds = time.perf_counter() - since
        cpu_seconds = server.cpu_seconds()
        responses = each_once(server.port, contestant.requests, clients=1).responses
        if failed := [response for response in responses if response.status != 200]:
            raise MeshError(f"{contestant.name} returned {failed[0]}.")
        return Measurement(
            seconds,
            cpu_seconds,
            responses[0].seconds,
            server.resident_mebibytes(),
            server.anonymous_mebibytes(),
        )


main = Program(component="benchmarks", name="keywords_footprint", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
