"""The `mesh` command as a user runs it: a separate process in a new workspace."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mesh import SILENT
from network_calls import contacted, recorder

PATIENCE = 1_500
TAKEN_FOR_TESTS = frozenset(("CI", "PYTEST_CURRENT_TEST"))
"""Variables that make packages silent, which a user hasn't set."""


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Command:
    """A running `mesh` command and its output.

    Args:
        before: what starts it.
    """

    def __init__(
        self, workspace: Path, *arguments: str, before: Sequence[str] = (), **environment: str
    ) -> None:
        self._log = workspace / f"log-{time.monotonic_ns()}"
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MESH_") and name not in TAKEN_FOR_TESTS.union(SILENT)
        }
        variables |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            **environment,
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "mesh.cli.mesh", *arguments],
                cwd=workspace,
                env=variables,
                stdout=log,
                stderr=log,
            )

    @property
    def output(self) -> str:
        """Standard output and standard error so far."""
        return self._log.read_text()

    def wait(self) -> int:
        """Its exit code, after its end."""
        return self.process.wait(PATIENCE)

    def wait_for(self, text: str) -> None:
        """Wait until its output has a text; it must not end before."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(number)
        return self.wait()


def run(workspace: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command to its end; return its exit code and output."""
    command = Command(workspace, *arguments, **environment)
    return command.wait(), command.output


@dataclass(frozen=True)
class Served:
    """A project that `mesh up` has made from scratch and serves.

    Args:
        calls: the record of what it contacts, where one can be made.
    """

    command: Command
    workspace: Path
    url: str
    calls: Path


@contextmanager
def up(project: str, workspace: Path, **environment: str) -> Iterator[Served]:
    """`mesh up` in an empty workspace, on a port that its server's setting names.

    It must contact no other machine; and if it still runs at the end, Ctrl-C must stop it.
    """
    port = free_port()
    calls = workspace / "calls"
    command = Command(
        workspace, "up", project, before=recorder(calls), SERVE_PORT=str(port), **environment
    )
    try:
        command.wait_for("Ctrl-C stops the server")
        yield Served(command, workspace, f"http://127.0.0.1:{port}", calls)
        if command.process.poll() is None:
            assert command.stop() == 0
        assert not (calls.exists() and contacted(calls))
    finally:
        command.process.kill()
        command.process.wait(PATIENCE)


def printed_response(command: Command) -> Any:
    """The response that `mesh up` printed; its printed request must get the same again."""
    lines = command.output.splitlines()
    curl = next(index for index, line in enumerate(lines) if line.startswith("curl "))
    # A shell parses the command, also on machines without curl.
    shell = subprocess.run(
        ["bash", "-c", f"curl() {{ printf '%s\\0' \"$@\"; }}\n{lines[curl]}"],
        capture_output=True,
        text=True,
        check=True,
    )
    silent, url, header_flag, header, data_flag, body, _ = shell.stdout.split("\0")
    assert (silent, header_flag, data_flag) == ("-s", "-H", "-d")
    headers = dict([header.split(": ")])
    request = urllib.request.Request(url, body.encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        again = json.load(response)
    printed = json.loads(next(line for line in lines[curl + 1 :] if line))
    assert again == printed
    return printed


def answered(served: Served) -> float:
    """The number of prediction requests that the server has served, by its own count."""
    metrics = httpx.get(f"{served.url}/metrics", trust_env=False).text
    labels = r'method="POST",route="/v1/model/\{name\}/predict",status="200"'
    [count] = re.findall(rf"^http_requests_total\{{{labels}\}} (.*)", metrics, re.MULTILINE)
    return float(count)
