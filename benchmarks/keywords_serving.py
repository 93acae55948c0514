"""The measured keywords server and its requests."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.http_load import post
from benchmarks.server_process import ServerProcess, free_port, python_module, start

PATH = "/v1/model/keywords/predict"


def requests(documents: Sequence[str]) -> list[bytes]:
    """A request for each document."""
    bodies = ({"inputs": [{"document": document}]} for document in documents)
    return [post(PATH, json.dumps(body).encode()) for body in bodies]


@contextmanager
def keywords_server(folder: Path, *flags: str) -> Iterator[ServerProcess]:
    """The server in a separate process.

    Args:
        folder: the compiled model.
        flags: flags of `ServeSettings`.
    """
    port = free_port()
    command = [*python_module("benchmarks.apps.keywords_server"), f"--port={port}", *flags]
    environment = {"BENCHMARK_MODEL": str(folder), "MESH_LOG_LEVEL": "WARNING"}
    with start(command, port, ready="/v1/ready", environment=environment) as server:
        yield server
