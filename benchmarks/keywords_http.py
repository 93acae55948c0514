"""Documents a second over HTTP: the mesh's keywords server, and KeyBERT behind BentoML, LitServe and FastAPI."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from rich.console import Console
from rich.table import Table

from benchmarks.http_load import Run
from benchmarks.http_load import closed_loop
from benchmarks.http_load import post
from benchmarks.keywords_setup import compiled_folder
from benchmarks.keywords_setup import documents
from benchmarks.keywords_setup import keywords_server
from benchmarks.keywords_setup import requests
from benchmarks.server_process import ServerProcess
from benchmarks.server_process import free_port
from benchmarks.server_process import start
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

CLIENTS = (1, 8, 32)
PEERS = ("bentoml", "litserve", "fastapi")
TOLERANCE = 1e-3
"""How far scores may be apart; the order of keywords that are nearer to each other than this is left open."""

Keywords = dict[str, float]


class HttpSettings(MeshSettings):
    """How long is measured."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    rounds: int = Field(
        3, ge=1, description="Turns that every server gets at each number of clients."
    )
    seconds: float = Field(5.0, gt=0, description="Length of a turn.")
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

    def keywords(self, body: bytes) -> Keywords:
        """The keywords of an answer to one document, with their scores."""
        answer: Any = json.loads(body)
        if self.name == "mesh":
            [output] = answer["outputs"]
            return {
                found["keyword_token"]: found["keyword_score"]
                for found in output["predicted_document"]
            }
        pairs = answer[0] if self.name == "bentoml" else answer
        return dict(pairs)


def main_run(settings: HttpSettings) -> None:
    """Start one server after the other in turns, check that all answer alike, print the medians."""
    with ExitStack() as stack:
        folder = stack.enter_context(compiled_folder())
        mesh = Contender("mesh", stack.enter_context(keywords_server(folder)), requests())
        contenders = [mesh]
        for name in PEERS:
            process = stack.enter_context(_peer(name, settings.cache))
            contenders.append(Contender(name, process, _peer_requests(name)))
        _check_answers(contenders)
        runs: dict[tuple[int, str], list[Run]] = {}
        for _ in range(settings.rounds):
            for clients in CLIENTS:
                for contender in contenders:
                    run = closed_loop(
                        contender.process.port,
                        contender.requests,
                        clients=clients,
                        seconds=settings.seconds,
                    )
                    if failed := [answer for answer in run.answers if answer.status != 200]:
                        raise MeshError(f"{contender.name} answered {failed[0]}.")
                    runs.setdefault((clients, contender.name), []).append(run)
        memory = {each.name: each.process.resident_mebibytes() for each in contenders}
    _print(runs, memory)


def _print(runs: dict[tuple[int, str], list[Run]], memory: dict[str, float]) -> None:
    table = Table(title="Keywords over HTTP, one document a request, every one sent before")
    for column in (
        "server",
        "clients",
        "documents/s",
        "to the best peer",
        "p50 ms",
        "p99 ms",
        "MiB",
    ):
        table.add_column(column, justify="left" if column == "server" else "right")
    rates = {key: statistics.median(run.rate for run in turns) for key, turns in runs.items()}
    for (clients, name), turns in sorted(runs.items(), key=lambda item: item[0][0]):
        best = max(rates[clients, peer] for peer in PEERS)
        p50, p99 = (
            statistics.median(run.percentile(share) for run in turns) * 1e3 for share in (0.5, 0.99)
        )
        table.add_row(
            name,
            str(clients),
            f"{rates[clients, name]:.1f}",
            f"{rates[clients, name] / best:.2f}",
            f"{p50:.0f}",
            f"{p99:.0f}",
            f"{memory[name]:.0f}",
        )
    Console(width=100).print(table)


def _check_answers(contenders: Sequence[Contender]) -> None:
    """All servers give each document the same keywords, or the next one in place of one of nearly its score.

    Raises:
        MeshError: they do not.
    """
    expected: list[Keywords] = []
    for contender in contenders:
        found = [contender.keywords(body) for body in _each_once(contender)]
        expected = expected or found
        for place, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
            apart = [
                word
                for word in ours.keys() | theirs.keys()
                if abs(ours.get(word, min(ours.values())) - theirs.get(word, min(theirs.values())))
                > TOLERANCE
            ]
            if apart:
                raise MeshError(
                    f"{contenders[0].name} and {contender.name} differ on document {place}: {ours}, {theirs}."
                )


def _each_once(contender: Contender) -> Iterator[bytes]:
    for request in contender.requests:
        run = closed_loop(contender.process.port, [request], clients=1, seconds=0.001)
        if run.answers[0].status != 200:
            raise MeshError(f"{contender.name} answered {run.answers[0]}.")
        yield run.answers[0].body


def _peer_requests(name: str) -> list[bytes]:
    bodies = [
        {"documents": [document]} if name == "bentoml" else {"document": document}
        for document in documents()
    ]
    return [post("/predict", json.dumps(body).encode()) for body in bodies]


@contextmanager
def _peer(name: str, cache: Path) -> Iterator[ServerProcess]:
    folder = Path(__file__).parent / "peers"
    binaries = _environment(folder / f"{name}.txt", cache) / "bin"
    port = free_port()
    cores = str(len(os.sched_getaffinity(0)))
    commands = {
        "fastapi": [
            *(str(binaries / "uvicorn"), "fastapi_app:app", f"--port={port}"),
            *("--workers", cores, "--app-dir", str(folder), "--no-access-log"),
        ],
        "litserve": [str(binaries / "python"), str(folder / "litserve_app.py"), str(port)],
        "bentoml": [
            *(str(binaries / "bentoml"), "serve", "bentoml_app:Keywords"),
            *(f"--port={port}", "--working-dir", str(folder)),
        ],
    }
    ready = "/readyz" if name == "bentoml" else "/health"
    # Not our packages in the peers' interpreters; nothing is sent to their makers.
    environment = {
        "PYTHONPATH": "",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(cache / "bentoml-home"),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    with start(commands[name], port, ready=ready, environment=environment) as process:
        yield process


def _environment(requirements: Path, cache: Path) -> Path:
    """A virtual environment with the pinned requirements, made once."""
    folder = cache / f"{requirements.stem}-{sha256_file(requirements)[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Installing {requirements.name} into {folder}", file=sys.stderr)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [*pip, "-r", str(requirements)],
        ):
            if subprocess.run(command, check=False).returncode:
                raise MeshError(f"{requirements.name} can't be installed; see above.")
        complete.touch()
    return folder


main = Program(component="benchmarks", name="keywords_http", run=main_run, settings=(HttpSettings,))

if __name__ == "__main__":
    main()
