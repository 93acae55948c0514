"""Python processes that begin with their imports done: each is forked from one process that has done them."""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_MOST_BYTES = 100_000
"""Of the code and the environment of a process."""


class Process:
    """A process that runs Python code; used as a `subprocess.Popen` with pipes for text is."""

    def __init__(self, requests: socket.socket, code: str, environment: Mapping[str, str]) -> None:
        reading, stdin = os.pipe()
        stdout, writing = os.pipe()
        status, ending = os.pipe()
        self._errors = tempfile.TemporaryFile("w+")
        given = [reading, writing, self._errors.fileno(), ending]
        request = json.dumps({"code": code, "environment": dict(environment)}).encode()
        assert len(request) <= _MOST_BYTES
        socket.send_fds(requests, [request], given)
        for descriptor in (reading, writing, ending):
            os.close(descriptor)
        self.stdin = os.fdopen(stdin, "w")
        self.stdout = os.fdopen(stdout)
        self._status = os.fdopen(status)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None
        self._output = ("", "")

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process is known to have ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, unless the process is known to have ended."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What is left of its standard output, and all of its standard error; after the timeout it is killed."""
        if self.returncode is None:
            timer = threading.Timer(timeout or threading.TIMEOUT_MAX, self.kill)
            timer.start()
            with contextlib.suppress(BrokenPipeError):
                self.stdin.close()
            with self.stdout, self._status, self._errors:
                output = self.stdout.read()
                self.returncode = int(self._status.readline())
                self._errors.seek(0)
                self._output = (output, self._errors.read())
            timer.cancel()
            timer.join()
        return self._output


@contextlib.contextmanager
def prepare(*modules: str) -> Iterator[Callable[[str, Mapping[str, str]], Process]]:
    """Starts processes that have imported some modules, given their code and environment, until the block ends."""
    requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with requests:
        with theirs:
            parent = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *modules],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        yield lambda code, environment: Process(requests, code, environment)
    parent.wait()


def _next_request(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """In a process of its own the next request, and its standard files and status; None when there are no more."""
    # Those that wait for the processes are nobody's business.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _MOST_BYTES, 4)
        if not request:
            return None
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if process := os.fork():
                _report(process, descriptors)
            return json.loads(request), descriptors
        for descriptor in descriptors:
            os.close(descriptor)


def _report(process: int, descriptors: list[int]) -> None:
    """Say which process it is and how it ended."""
    *files, status = descriptors
    for descriptor in files:
        os.close(descriptor)
    os.write(status, f"{process}\n".encode())
    _, ended = os.waitpid(process, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(ended)}\n".encode())
    os._exit(0)


def _main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    found = _next_request(requests)
    requests.close()
    if found is None:
        return
    request, descriptors = found
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    exec(compile(str(request["code"]), "<code>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    _main()
