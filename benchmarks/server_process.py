"""A server as a separate process: started, awaited, measured, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mesh.core.errors import MeshError

PATIENCE_SECONDS = 300
"""A first start may read gigabytes and compile bytecode; a crash is noticed at once."""
END_SECONDS = 15


class ServerProcess:
    """A running server and the processes that it started.

    Attributes:
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = process

    def pause(self) -> None:
        """Suspend all of its processes, since some servers take CPU time while they wait."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Resume its processes."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def resident_mebibytes(self) -> float:
        """Memory of all of its processes; shared pages count once for each."""
        return sum(status(pid, "VmRSS") for pid in process_tree(self._process.pid)) / 1024

    def anonymous_mebibytes(self) -> float:
        """The part of the resident memory without pages of files."""
        return sum(status(pid, "RssAnon") for pid in process_tree(self._process.pid)) / 1024

    def cpu_seconds(self) -> float:
        """CPU time of all of its processes so far."""
        return sum(map(cpu_seconds, process_tree(self._process.pid)))


def process_tree(pid: int) -> list[int]:
    """A process and all that it and its children have started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid: int, name: str) -> int:
    """A figure of a process, such as `VmHWM`: KiB of memory; 0 if it isn't told."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def python_module(module: str) -> list[str]:
    """The command that runs a module with this process's interpreter and packages."""
    return [sys.executable, "-m", module]


@contextmanager
def start(
    command: Sequence[str], port: int, *, ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Start a server and wait until it is ready; stop it after the block.

    Args:
        ready: the path that returns 200 when it is.

    Raises:
        MeshError: it ended or wasn't ready in time; the message has the end of its output.
    """
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
            # So that it can be stopped together with its child processes.
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{ready}", output.fileno())
            yield ServerProcess(process, port)
        finally:
            process.terminate()
            # It may be suspended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def project_server(package: str, *flags: str) -> Iterator[ServerProcess]:
    """The server of a project, as its image starts it, with warnings as its only log.

    Args:
        package: the project's package, such as `entity_fishing`.
    """
    port = free_port()
    command = [*python_module("mesh.core.start"), f"{package}.serve", "serve", f"--port={port}"]
    environment = {"MESH_LOG_LEVEL": "WARNING"}
    with start([*command, *flags], port, ready="/v1/ready", environment=environment) as server:
        yield server


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, output: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - always http
                return
        except (urllib.error.URLError, OSError):
            pass
        if process.poll() is not None or time.monotonic() > end:
            printed = os.pread(output, 2**20, 0).decode(errors="replace")[-2000:]
            raise MeshError(f"The server {url} did not become ready; its output:\n{printed}")
        time.sleep(0.01)
