"""What the load suites of projects have in common: a workspace, its server, and the programs run on them."""

import importlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mesh.core.project import Project

PATIENCE = 120


def check_load(project: Project, workspace: Path) -> Path:
    """Make the project's model if it has one, serve it, and put the server under load for 3 seconds.

    Returns:
        The folder with the results, of which the verdict is that the test has passed.
    """
    make_model(project, workspace)
    with serve(project, workspace) as url:
        code, output = run(project, workspace, "serve:load", f"--url={url}", "--run-seconds=3")
    assert (code, "The load test has passed." in output) == (0, True), output
    [results] = (workspace / "models").glob("*/local/test_results")
    report = json.loads((results / "load_test_report.json").read_text())
    assert report["num_requests_fail"] == 0
    endpoints = report["completed"].values()
    assert endpoints
    assert all(endpoint["measurements"]["requests_total"] > 0 for endpoint in endpoints)
    return results


def make_model(project: Project, workspace: Path) -> None:
    """Run the steps before the server in the workspace, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        for step in itertools.takewhile(lambda step: step != "serve:serve", project.steps):
            assert importlib.import_module(project.module(step)).main.main([]) == 0


@contextmanager
def serve(project: Project, workspace: Path) -> Iterator[str]:
    """The address of a server that is ready, for as long as the block lasts."""
    process, output = _start(project, workspace, "serve:serve", "--port=0")
    deadline = time.monotonic() + PATIENCE
    try:
        while not (address := _ready_address(project, output)):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait(PATIENCE)


def run(project: Project, workspace: Path, step: str, *flags: str) -> tuple[int, str]:
    """Run a step in a process of its own; its exit code and output."""
    process, output = _start(project, workspace, step, *flags)
    return process.wait(PATIENCE), output.read_text()


def _start(
    project: Project, workspace: Path, step: str, *flags: str
) -> tuple[subprocess.Popen[bytes], Path]:
    output = workspace / f"{step}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", project.module(step), *flags],
            cwd=workspace,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return process, output


def _ready_address(project: Project, log: Path) -> str | None:
    found = re.search(rf"Serving {project.name} at (http://\S+)", log.read_text())
    is_ready = found and httpx.get(f"{found[1]}/v1/ready", trust_env=False).is_success
    return found[1] if found and is_ready else None
