"""A server and a load test of it, as separate processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mesh.core.card import ModelCard
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings

FOLDER = Path(__file__).parent
VERSION = "TINY-COMPILED-1"
PATIENCE = 60


class Tiny:
    """The tiny project in a separate workspace."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.processes: list[subprocess.Popen[bytes]] = []
        self.url = "http://127.0.0.1:1"
        self.set_fingerprint("one")
        project = Project(name="tiny", description="", port=1)
        WorkspaceSettings(workspace=workspace).set_current_model(project, VERSION)

    def set_fingerprint(self, fingerprint: str) -> None:
        card = ModelCard(
            project="tiny", model_type="compiled", code_revision="abc", fingerprint=fingerprint
        )
        card.write(self.workspace / "models" / VERSION)

    def start(self, program: str, *flags: str, **environment: str) -> subprocess.Popen[bytes]:
        paths = [str(FOLDER), *(path for path in sys.path if path)]
        with self.log(program).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mesh.core.start", "tiny.serve", program, *flags],
                cwd=self.workspace,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def log(self, program: str) -> Path:
        return self.workspace / f"{program}.log"

    def serve(self, *, ready: bool = True, **environment: str) -> subprocess.Popen[bytes]:
        """Start the server and wait until it is ready, or at least live."""
        process = self.start("serve", "--port=0", **environment)
        pattern = r"Serving \w+ at (http://127\.0\.0\.1:\d+)"
        self.wait_until(process, lambda: re.search(pattern, self.log("serve").read_text()))
        [self.url] = re.findall(pattern, self.log("serve").read_text())
        path = "/v1/ready" if ready else "/v1/live"
        self.wait_until(process, lambda: httpx.get(self.url + path, trust_env=False).is_success)
        return process

    def start_load(self, *flags: str, **environment: str) -> subprocess.Popen[bytes]:
        return self.start("load", f"--url={self.url}", *flags, **environment)

    def load(self, *flags: str, **environment: str) -> tuple[int, str]:
        """Run a load test of the last started server; return its exit code and output."""
        process = self.start_load(*flags, **environment)
        code = process.wait(PATIENCE)
        return code, self.log("load").read_text()

    @property
    def results(self) -> Path:
        return self.workspace / "models" / VERSION / "local" / "test_results"

    def read(self, name: str) -> Any:
        return json.loads((self.results / name).read_text())

    def failures(self) -> dict[str, int]:
        """The number of failed predictions by reason."""
        report = self.read("load_test_report.json")
        failures: dict[str, int] = report["completed"]["POST_/v1/model/tiny/predict"]["failures"]
        return failures

    def wait_until(self, process: subprocess.Popen[bytes], condition: Callable[[], Any]) -> None:
        """Poll until the condition holds; fail when the process ends before that."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if process.poll() is not None or time.monotonic() > end:
                logs = [path.read_text() for path in self.workspace.glob("*.log")]
                pytest.fail("\n".join(["Waited in vain:", *logs]))
            time.sleep(0.01)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    yield from running(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Tiny]:
    """Another server."""
    workspace = tmp_path / "other"
    workspace.mkdir()
    yield from running(workspace)


def running(workspace: Path) -> Iterator[Tiny]:
    project = Tiny(workspace)
    yield project
    for process in project.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
