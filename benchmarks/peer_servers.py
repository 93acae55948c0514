"""Other servers with a task of `peers/tasks.py`, each in its own environment."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pip_settings import clean_environment, read_sources

from benchmarks.http_load import post
from benchmarks.server_process import PATIENCE_SECONDS, ServerProcess, free_port, start
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError

Peer = Literal["fastapi", "litserve", "bentoml"]
Runtime = Literal["torch", "optimum"]
PEERS: tuple[Peer, ...] = ("fastapi", "litserve", "bentoml")
FOLDER = Path(__file__).parent / "peers"
CACHE = Path.home() / ".cache" / "mesh-benchmarks"


@dataclass(frozen=True)
class Task:
    """What a peer computes.

    Args:
        weights: folder of a Hugging Face model; keywords has its own.
        runtime: what computes the network.
    """

    name: Literal["keywords", "ner", "sentiment"] = "keywords"
    weights: Path = Path()
    runtime: Runtime = "torch"

    def requirements(self, name: Peer) -> str:
        """The name of a server's requirements file with what the task needs."""
        return "optimum" if self.runtime == "optimum" else name


KEYWORDS = Task()


def peer_requests(name: Peer, documents: Sequence[str]) -> list[bytes]:
    """A request for each document."""
    bodies = [
        {"documents": [document]} if name == "bentoml" else {"document": document}
        for document in documents
    ]
    return [post("/predict", json.dumps(body).encode()) for body in bodies]


def peer_answer(name: Peer, body: bytes) -> Any:
    """What a task's result is in a response to one document."""
    result = json.loads(body)
    return result[0] if name == "bentoml" else result


@contextmanager
def peer_server(
    name: Peer, cache: Path, workers: int, task: Task = KEYWORDS
) -> Iterator[ServerProcess]:
    """Start a peer and wait until it is ready; stop it after the block.

    Args:
        cache: folder of environments, which are reused.
        workers: number of processes that compute.

    Raises:
        MeshError: it can't be installed or doesn't start.
    """
    binaries = peer_environment(name, cache, task) / "bin"
    port = free_port()
    commands = {
        "fastapi": [
            *(str(binaries / "uvicorn"), "fastapi_app:app", f"--port={port}"),
            *(f"--workers={workers}", "--app-dir", str(FOLDER), "--no-access-log"),
            # A worker that loads its model on a busy machine doesn't respond for a while.
            f"--timeout-worker-healthcheck={PATIENCE_SECONDS}",
        ],
        "litserve": [str(binaries / "python"), str(FOLDER / "litserve_app.py"), str(port)],
        "bentoml": [
            *(str(binaries / "bentoml"), "serve", "bentoml_app:Task"),
            *("--host=127.0.0.1", f"--port={port}", "--working-dir", str(FOLDER)),
        ],
    }
    environment = {
        # The peers' interpreters don't see our packages.
        "PYTHONPATH": "",
        "BENTOML_HOME": str(cache / "bentoml-home"),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "WORKERS": str(workers),
        "TASK": task.name,
        "RUNTIME": task.runtime,
        "WEIGHTS": str(task.weights.absolute()),
        "TRANSFORMERS_OFFLINE": "1",
    }
    ready = "/readyz" if name == "bentoml" else "/health"
    with start(commands[name], port, ready=ready, environment=environment) as process:
        yield process


def peer_environment(name: Peer, cache: Path, task: Task = KEYWORDS) -> Path:
    """A virtual environment with a peer's pinned requirements, made at the first call.

    Raises:
        MeshError: pip can't install them.
    """
    return make_environment(FOLDER / f"{task.requirements(name)}.txt", cache)


def make_environment(requirements: Path, cache: Path) -> Path:
    """A virtual environment with the packages of a requirements file, made at the first call.

    From the machine's configuration, pip uses only indexes, links, certificate and proxy.

    Raises:
        MeshError: pip can't install them.
    """
    folder = cache / f"{requirements.stem}-{sha256_file(requirements)[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Installing {requirements.name} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        sources = read_sources()
        command = [
            *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"),
            *sources.pip_flags(),
            *(f"--find-links={link}" for link in sources.torch_links()),
            *("-r", str(requirements)),
        ]
        if subprocess.run(command, check=False, env=clean_environment(sources)).returncode:
            raise MeshError(f"{requirements.name} can't be installed; see above.")
        complete.touch()
    return folder
