"""The server of jobs of a Ray cluster, as far as searches use it; its jobs do what a test tells them."""

import json
import subprocess
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from services.http import Handler

TOKEN = "0123456789abcdef0123456789abcdef"

Play = Callable[[dict[str, Any]], dict[str, Any]]
"""From what was submitted to the job that the server tells of."""


class JobsServer(ThreadingHTTPServer):
    """Keeps jobs.

    Args:
        play: by default, jobs run until a test changes them.
        token: what requests must bring; empty for none.

    Attributes:
        submitted: what jobs were asked for.
        jobs: what the server tells of each, by its `submission_id`.
        stopped: the names of jobs that were asked to stop.
    """

    daemon_threads = True

    def __init__(self, play: Play | None = None, token: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _JobsHandler)
        self.play = play or (lambda _: {"status": "RUNNING"})
        self.token = token
        self.submitted: list[dict[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


def run_command(job: dict[str, Any]) -> dict[str, Any]:
    """Run the command of a job to its end, which tells how; for `play` in a thread of its own."""
    done = subprocess.run(
        job["entrypoint"], shell=True, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return {"status": "SUCCEEDED", "driver_exit_code": 0}
    message = f"Job entrypoint command failed with exit code {done.returncode}, last logs:\n"
    return {
        "status": "FAILED",
        "driver_exit_code": done.returncode,
        "message": message + done.stdout + done.stderr,
    }


class _JobsHandler(Handler):
    server: JobsServer

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if not self._is_allowed():
            self.answer(401, b"Unauthorized: Missing authentication token")
        elif self.path == "/api/version":
            self._say({"version": "4", "ray_version": "2.60.0"})
        elif name in self.server.jobs:
            self._say({"submission_id": name, **self.server.jobs[name]})
        else:
            self.answer(404, f"Job {name} does not exist".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.endswith("/stop"):
            name = self.path.split("/")[-2]
            self.server.stopped.append(name)
            self.server.jobs[name] = {"status": "STOPPED"}
            self._say({"stopped": True})
            return
        job = json.loads(body)
        name = job["submission_id"]
        if name in self.server.jobs:
            self.answer(500, b"Traceback:\nValueError: Job with submission_id exists")
            return
        self.server.submitted.append(job)
        self.server.jobs[name] = {"status": "PENDING"}
        self.server.jobs[name] = self.server.play(job)
        self._say({"submission_id": name})

    def _is_allowed(self) -> bool:
        expected = f"Bearer {self.server.token}"
        return not self.server.token or self.headers["Authorization"] == expected

    def _say(self, content: Any) -> None:
        self.answer(200, json.dumps(content).encode())
