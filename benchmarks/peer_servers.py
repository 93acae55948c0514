"""KeyBERT in BentoML, LitServe and FastAPI, each in its own environment."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pip_settings import clean_environment, read_sources

from benchmarks.http_load import post
from benchmarks.server_process import ServerProcess, free_port, start
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError

Peer = Literal["fastapi", "litserve", "bentoml"]
PEERS: tuple[Peer, ...] = ("fastapi", "litserve", "bentoml")
FOLDER = Path(__file__).parent / "peers"


def peer_requests(name: Peer, documents: Sequence[str]) -> list[bytes]:
    """A request for each document."""
    bodies = [
        {"documents": [document]} if name == "bentoml" else {"document": document}
        for document in documents
    ]
    return [post("/predict", json.dumps(body).encode()) for body in bodies]


@contextmanager
def peer_server(name: Peer, cache: Path, workers: int) -> Iterator[ServerProcess]:
    """Start a peer and wait until it is ready; stop it after the block.

    Args:
        cache: folder of environments, which are reused.
        workers: number of processes that compute.

    Raises:
        MeshError: it can't be installed or doesn't start.
    """
    binaries = peer_environment(name, cache) / "bin"
    port = free_port()
    commands = {
        "fastapi": [
            *(str(binaries / "uvicorn"), "fastapi_app:app", f"--port={port}"),
            *(f"--workers={workers}", "--app-dir", str(FOLDER), "--no-access-log"),
        ],
        "litserve": [str(binaries / "python"), str(FOLDER / "litserve_app.py"), str(port)],
        "bentoml": [
            *(str(binaries / "bentoml"), "serve", "bentoml_app:Keywords"),
            *("--host=127.0.0.1", f"--port={port}", "--working-dir", str(FOLDER)),
        ],
    }
    environment = {
        # The peers' interpreters don't see our packages.
        "PYTHONPATH": "",
        "BENTOML_HOME": str(cache / "bentoml-home"),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "WORKERS": str(workers),
    }
    ready = "/readyz" if name == "bentoml" else "/health"
    with start(commands[name], port, ready=ready, environment=environment) as process:
        yield process


def peer_environment(name: Peer, cache: Path) -> Path:
    """A virtual environment with the peer's pinned requirements, made at the first call.

    Raises:
        MeshError: pip can't install them.
    """
    return make_environment(FOLDER / f"{name}.txt", cache)


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
