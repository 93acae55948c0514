"""What the keywords server takes beside KeyBERT behind FastAPI: time until it is ready, memory, bytes of model.

Both run on this interpreter and its packages, alone and in turns; FastAPI and Uvicorn are installed into a
folder for as long as the measurement takes.
"""

import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import WEIGHTS
from benchmarks.models import compiled_keywords
from benchmarks.models import paragraphs
from benchmarks.report import print_table
from keywords.project import PROJECT
from mesh.core.card import COMPILED
from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger(__name__)

PEER_PACKAGES = ("fastapi==0.128.0", "uvicorn[standard]==0.40.0")
PATIENCE_SECONDS = 120
POLL_SECONDS = 0.01


class Settings(MeshSettings):
    """Measure start-up and memory of servers."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    starts: int = Field(
        3, ge=1, description="How often each server is started; after one that does not count."
    )
    documents: int = Field(
        16, ge=1, le=64, description="Paragraphs it answers before its memory is read."
    )


@dataclass
class Contestant:
    """A server, and what was measured at each of its starts.

    Args:
        command: starts it, without its port.
        environment: its variables.
        ready: path that answers 200 once it is ready.
        predict: path for requests.
        model_bytes: size of the files it loads.
        seconds: until it was ready.
        cpu_seconds: the same, of the processor: other work on the machine does not count.
        first_answer: seconds.
        memory, anonymous: MiB resident after the documents; of those, what it shares with no file.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    ready: str
    predict: str
    model_bytes: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    first_answer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    anonymous: list[float] = field(default_factory=list)

    def forget(self) -> None:
        """Drop the figures of the starts so far."""
        for figures in (
            self.seconds,
            self.cpu_seconds,
            self.first_answer,
            self.memory,
            self.anonymous,
        ):
            figures.clear()

    def body(self, document: str) -> dict[str, Any]:
        """A request for the keywords of one document."""
        if self.predict == "/keywords":
            return {"text": document}
        return {"inputs": [{"document": document}]}


def run(settings: Settings) -> None:
    """Start the servers in turns and print the table.

    Raises:
        MeshError: a server does not get ready, or does not answer.
    """
    with compiled_keywords() as directory, tempfile.TemporaryDirectory() as packages:
        contestants = [keywords(directory), keybert(Path(packages))]
        for start in range(settings.starts + 1):
            for contestant in contestants:
                logger.info("starting %s", contestant.name)
                measure(contestant, paragraphs()[: settings.documents])
                if start == 0:
                    # Only after it are the files in memory and the bytecode written.
                    contestant.forget()
    print_table(
        f"Warm starts, median of {settings.starts}; memory after {settings.documents} paragraphs",
        [
            "",
            "ready, s",
            "of a core, s",
            "first answer, ms",
            "resident, MiB",
            "of it not from files, MiB",
            "model files, MB",
        ],
        [
            [
                contestant.name,
                f"{statistics.median(contestant.seconds):.2f}",
                f"{statistics.median(contestant.cpu_seconds):.2f}",
                f"{statistics.median(contestant.first_answer) * 1e3:.0f}",
                f"{statistics.median(contestant.memory):.0f}",
                f"{statistics.median(contestant.anonymous):.0f}",
                f"{contestant.model_bytes / 1e6:.0f}",
            ]
            for contestant in contestants
        ],
        packages=("keybert", "sentence-transformers", "torch", "onnxruntime"),
        notes=[f"Peer: {', '.join(PEER_PACKAGES)}, one worker."],
    )


def keywords(directory: Path) -> Contestant:
    """The server of this repository on a compiled model, which is moved into a version's directory."""
    version = directory.parent / "version"
    (version / COMPILED).parent.mkdir(parents=True)
    directory.rename(version / COMPILED)
    ModelCard(
        project=PROJECT.name,
        model_type="compiled",
        code_revision="unknown",
        fingerprint="benchmark",
    ).write(version)
    return Contestant(
        "keywords",
        [sys.executable, "-m", "keywords.serve.serve", f"--model-directory={version}"],
        environment(),
        "/v1/ready",
        "/v1/model/keywords/predict",
        Manifest.read(version / COMPILED).size,
    )


def keybert(packages: Path) -> Contestant:
    """KeyBERT behind FastAPI and Uvicorn, which are installed into a folder."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--quiet",
        "--target",
        str(packages),
        *PEER_PACKAGES,
    ]
    logger.info("installing %s", ", ".join(PEER_PACKAGES))
    if subprocess.run(command, check=False).returncode:
        raise MeshError(f"pip can't install {', '.join(PEER_PACKAGES)}; its message is above.")
    return Contestant(
        "KeyBERT, FastAPI",
        [sys.executable, "-m", "uvicorn", "benchmarks.keybert_app:app", "--log-level=warning"],
        {**environment(str(packages)), "WEIGHTS": str(WEIGHTS)},
        "/ready",
        "/keywords",
        Manifest.of(WEIGHTS).size,
    )


def environment(*folders: str) -> dict[str, str]:
    """This process' variables, and its modules after those of folders."""
    paths = [*folders, *(str(Path(path).absolute()) for path in sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def measure(contestant: Contestant, documents: Sequence[str]) -> None:
    """Start a server, send it documents one after another, and stop it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        started(contestant, port) as (server, since),
    ):
        wait_until_ready(contestant, server, client)
        contestant.seconds.append(time.perf_counter() - since)
        contestant.cpu_seconds.append(cpu_seconds(server.pid))
        before = time.perf_counter()
        for number, document in enumerate(documents):
            client.post(contestant.predict, json=contestant.body(document)).raise_for_status()
            if number == 0:
                contestant.first_answer.append(time.perf_counter() - before)
        memory = resident(server.pid)
        contestant.memory.append(memory["VmRSS"])
        contestant.anonymous.append(memory["RssAnon"])


@contextmanager
def started(contestant: Contestant, port: int) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server's process and the time of its start; it is stopped in the end."""
    since = time.perf_counter()
    server = subprocess.Popen(
        [*contestant.command, f"--port={port}"],
        env=contestant.environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield server, since
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(
    contestant: Contestant, server: subprocess.Popen[bytes], client: httpx.Client
) -> None:
    """Ask until the server answers that it is ready.

    Raises:
        MeshError: it ended, or took too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if client.get(contestant.ready).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_SECONDS)
    raise MeshError(f"{contestant.name} did not get ready: {' '.join(contestant.command)}.")


def cpu_seconds(process: int) -> float:
    """Time of the processor, in user and kernel mode, that a process took so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> dict[str, float]:
    """Fields of a process' memory, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {name: int(value.split()[0]) / 1024 for name, value in pairs if value.endswith("kB")}


main = Program(component="benchmarks", name="keywords_footprint", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
