import functools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

PROGRAM = Path(__file__).with_name("tiny_server.py")
HTTP_SERVERS = ("uvicorn", "hypercorn")
PATIENCE = 60


class TinyServer:
    """A running tiny_server.py.

    Args:
        folder: where it records what it computes, and looks for the files that let it go on.
        settings: of `ServeSettings`, by their environment variables' names without prefix.
    """

    def __init__(self, folder: Path, load: str = "", **settings: object) -> None:
        self.folder = folder
        self._log = folder / "log"
        flags = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
            for name, value in settings.items()
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "TINY_FOLDER": str(folder),
            "TINY_LOAD": load,
            "MESH_LOG_FORMAT": "json",
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), "--port=0", *flags], env=environment, stderr=log
            )

    @property
    def log(self) -> str:
        """What the server wrote to standard error so far."""
        return self._log.read_text()

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        pattern = r"Serving tiny at https?://[^/\s\"]+:(\d+)"
        self.wait_until(lambda: re.search(pattern, self.log) is not None)
        [port] = re.findall(pattern, self.log)
        return int(port)

    @property
    def grpc_address(self) -> str:
        """Where it listens for gRPC, once it does."""
        pattern = r"Serving gRPC at ([^/\s\"]+:\d+)"
        self.wait_until(lambda: re.search(pattern, self.log) is not None)
        [address] = re.findall(pattern, self.log)
        return str(address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def computed(self) -> list[str]:
        """The texts that were handed to the model."""
        file = self.folder / "computed"
        return [line.strip('"') for line in file.read_text().splitlines()] if file.exists() else []

    def client(self, **options: bool) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, **options)  # type: ignore[arg-type]

    def metric(self, name: str) -> float:
        """The value of a metric, given with its labels."""
        with self.client() as client:
            lines = client.get("/metrics").text.splitlines()
        values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")]
        return values[0] if values else 0

    def is_ready(self) -> bool:
        with self.client() as client:
            return client.get("/v1/ready").status_code == httpx.codes.OK

    def is_computing(self) -> bool:
        """Whether it has begun to compute in native code."""
        return (self.folder / "computing").exists()

    def open_gate(self) -> None:
        """Let blocked computations go on."""
        (self.folder / "gate").touch()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll until the condition holds; fail when the server ends before that."""
        end = time.monotonic() + PATIENCE
        while not condition():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > end:
                pytest.fail(f"{'The server ended' if ended else 'Waited in vain'}:\n{self.log}")
            time.sleep(0.01)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        """Wait for the end."""
        return self.process.wait(PATIENCE)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., TinyServer]]:
    """Start a server with the settings that are given, and no others."""
    servers: list[TinyServer] = []

    def _launch(**options: object) -> TinyServer:
        server = TinyServer(tmp_path, **options)  # type: ignore[arg-type]
        servers.append(server)
        return server

    yield _launch
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TinyServer]]:
    """A running server of each kind that speaks HTTP, which the tests of a module share."""
    servers = {
        name: TinyServer(tmp_path_factory.mktemp(name), server=name) for name in HTTP_SERVERS
    }
    for server in servers.values():
        server.wait_until(server.is_ready)
    yield servers
    for server in servers.values():
        server.terminate()
        server.exit_code()


@pytest.fixture(params=HTTP_SERVERS)
def start(
    launch: Callable[..., TinyServer], request: pytest.FixtureRequest
) -> Callable[..., TinyServer]:
    """Start a server; each test runs with both of those that speak HTTP."""
    return functools.partial(launch, server=request.param)


@pytest.fixture
def serve(start: Callable[..., TinyServer]) -> Callable[..., TinyServer]:
    """Start a server and wait until it is ready."""

    def _serve(**options: object) -> TinyServer:
        server = start(**options)
        server.wait_until(server.is_ready)
        return server

    return _serve
