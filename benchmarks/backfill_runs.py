"""Backfills as programs, with their time, and with the memory and CPU time of their workers."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.server_process import cpu_seconds, process_tree, python_module, status
from mesh.backfill.distribution import TASK
from mesh.core.errors import MeshError

_SECONDS_BETWEEN_SAMPLES = 0.25
_MEBI = 1024
_NODES = Path(__file__).parent / "apps/ray_nodes.py"

_VARIABLES = {
    "MESH_LOG_LEVEL": "WARNING",
    "RAY_USAGE_STATS_ENABLED": "0",
    # A server's processes have no lower priority either.
    "RAY_worker_niceness": "0",
}

SLEEPER = "sleeper"
"""A project whose model sleeps so many seconds for each document as SLEEPER_SECONDS says."""
_SLEEPER = {
    "project.py": """from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="sleeper", description="Sleeps.", port=8998, kind="code-only", steps=CODE_ONLY_STEPS
)
""",
    "serve/model.py": """import time

from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings
from mesh.serve.documents import DocumentPrediction, DocumentsRequest, RequestModel
from mesh.serve.model import ServedModel
from sleeper.project import PROJECT


class SleeperSettings(MeshSettings):
    model_config = SettingsConfigDict(env_prefix="SLEEPER_")
    seconds: float = 0


class Configuration(RequestModel):
    language: str = "en"


class Request(DocumentsRequest):
    configuration: Configuration = Configuration()


class Prediction(DocumentPrediction):
    letters: int


class Response(BaseModel):
    outputs: list[Prediction]


class Sleeper(ServedModel):
    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (SleeperSettings,)

    def __init__(self, _directory, settings):
        self._seconds = settings.seconds

    def predict_batch(self, requests):
        time.sleep(self._seconds * len(requests))
        return [
            Response(outputs=[Prediction(markup="plain", letters=len(each.documents[0]))])
            for each in requests
        ]


MODEL = Sleeper
""",
}


@dataclass
class _Worker:
    """What was seen of a worker's process while it made shards."""

    peak: float = 0.0
    first: tuple[float, float] | None = None
    last: tuple[float, float] = (0.0, 0.0)


@dataclass
class Watched:
    """A program that has ended.

    Args:
        seconds: from its start to its end.
        driver: its own peak of memory, MiB.
        workers: by their process.
    """

    seconds: float = 0.0
    driver: float = 0.0
    workers: dict[int, _Worker] = field(default_factory=dict)

    @property
    def worker(self) -> float:
        """The highest peak of a worker, MiB."""
        return max((worker.peak for worker in self.workers.values()), default=0.0)

    @property
    def busy(self) -> float:
        """The CPU time of the workers as a part of the time in which they made shards."""
        spans = [
            (worker.last[0] - worker.first[0], worker.last[1] - worker.first[1])
            for worker in self.workers.values()
            if worker.first
        ]
        wall = sum(seconds for seconds, _ in spans)
        return sum(cpu for _, cpu in spans) / wall if wall else float("nan")


def texts(count: int) -> list[str]:
    """Texts of one to eight sentences, each another one, always the same."""
    corpus = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8")
    sentences = [f"{each.strip()}." for each in corpus.replace("\n", " ").split(". ") if each]
    chooser = random.Random(1)  # noqa: S311 - no secret
    return [" ".join(chooser.sample(sentences, chooser.randint(1, 8))) for _ in range(count)]


def write_input(path: Path, rows: Sequence[str], rows_of_shard: int) -> Path:
    """Write texts with ids as Parquet, a group of rows for each shard."""
    table = pa.table({"id": list(range(len(rows))), "text": list(rows)})
    pq.write_table(table, path, row_group_size=rows_of_shard)
    return path


def write_sleeper(folder: Path) -> None:
    """Write the project whose model sleeps."""
    for name, content in _SLEEPER.items():
        file = folder / SLEEPER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(content)


def backfill(
    project: str, source: Path, *flags: str, code: Path | None = None, **variables: str
) -> tuple[Watched, dict[str, Any]]:
    """Run a backfill into a folder that is removed afterwards.

    Args:
        code: folder of the project's package, if it isn't on the path.

    Returns:
        what was seen of it, and its summary with the size of its manifest.

    Raises:
        MeshError: it fails.
    """
    package = project.replace("-", "_")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as output:
        command = [
            *python_module("mesh.core.start"),
            *(f"{package}.backfill", "backfill", "--input", str(source), "--output", output),
            *("--id", "id", *flags),
        ]
        watched = watch(command, code, variables)
        [folder] = Path(output).glob("model=*")
        summary = json.loads((folder / "_summary.json").read_bytes())
        return watched, {**summary, "manifest": (folder / "manifest.json").stat().st_size}


def watch(
    command: Sequence[str], code: Path | None = None, variables: Mapping[str, str] | None = None
) -> Watched:
    """Run a program to its end, and see what it and the workers of Ray take.

    Raises:
        MeshError: it fails; the message has the end of its output.
    """
    path = os.pathsep.join([*([str(code)] if code else []), *filter(None, sys.path)])
    watched = Watched()
    started = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            env={**os.environ, **_VARIABLES, "PYTHONPATH": path, **(variables or {})},
        )
        while process.poll() is None:
            _sample(watched, process.pid)
            time.sleep(_SECONDS_BETWEEN_SAMPLES)
        watched.seconds = time.monotonic() - started
        if process.returncode:
            output = os.pread(printed.fileno(), 2**20, 0).decode(errors="replace")
            raise MeshError(f"{' '.join(command[:5])} has failed:\n{output[-2000:]}")
    return watched


def _sample(watched: Watched, driver: int) -> None:
    for pid in process_tree(os.getpid()):
        try:
            name = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            if pid == driver:
                watched.driver = max(watched.driver, status(pid, "VmHWM") / _MEBI)
            elif name.startswith(f"ray::{TASK}"):
                worker = watched.workers.setdefault(pid, _Worker())
                worker.peak = max(worker.peak, status(pid, "VmHWM") / _MEBI)
                worker.last = time.monotonic(), cpu_seconds(pid)
                worker.first = worker.first or worker.last
        except OSError:
            # It has ended in the meantime.
            continue


@contextmanager
def ray_nodes(nodes: int, cores: int) -> Iterator[str]:
    """The address of a cluster of nodes on this machine."""
    process = subprocess.Popen(
        [sys.executable, str(_NODES), str(nodes), str(cores)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_VARIABLES, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )
    try:
        assert process.stdout  # noqa: S101 - it is a pipe
        lines = (line.strip() for line in process.stdout)
        address = next((line for line in lines if line.count(":") == 1 and " " not in line), "")
        if not address:
            raise MeshError("The nodes of Ray didn't start.")
        yield address
    finally:
        process.communicate(timeout=120)
