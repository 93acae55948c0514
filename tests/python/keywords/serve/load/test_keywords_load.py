"""The keywords server under load, with real weights: measured, judged, and its results in the registry."""

import importlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keywords.project import PROJECT

PATIENCE = 120


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model to serve and its registry."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # The default takes longer than all the rest.
        patch.setenv("COMPILE_VOCABULARY_WORDS", "200")
        for step in itertools.takewhile(lambda step: step != "serve:serve", PROJECT.steps):
            assert importlib.import_module(PROJECT.module(step)).main.main([]) == 0
    return folder


def start(workspace: Path, step: str, *flags: str) -> tuple[subprocess.Popen[bytes], Path]:
    output = workspace / f"{step}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", PROJECT.module(step), *flags],
            cwd=workspace,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return process, output


def run(workspace: Path, step: str, *flags: str) -> tuple[int, str]:
    process, output = start(workspace, step, *flags)
    return process.wait(PATIENCE), output.read_text()


@pytest.fixture(scope="module")
def url(workspace: Path) -> Iterator[str]:
    """The address of a server that is ready."""
    process, output = start(workspace, "serve:serve", "--port=0")
    deadline = time.monotonic() + PATIENCE
    try:
        while not (address := ready_address(output)):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait(PATIENCE)


def ready_address(log: Path) -> str | None:
    """Where the server listens, once it is ready."""
    found = re.search(r"Serving keywords at (http://\S+)", log.read_text())
    is_ready = found and httpx.get(f"{found[1]}/v1/ready", trust_env=False).is_success
    return found[1] if found and is_ready else None


def test_load_is_borne_and_the_results_are_registered(workspace: Path, url: str) -> None:
    flags = (f"--url={url}", "--run-seconds=3")
    code, output = run(workspace, "serve:load", *flags)
    assert (code, "The load test has passed." in output) == (0, True), output
    results = workspace / "models" / "KEYWORDS-COMPILED-1" / "local" / "test_results"
    report = json.loads((results / "load_test_report.json").read_text())
    assert report["num_requests_fail"] == 0
    assert all(
        endpoint["measurements"]["requests_total"] > 0 for endpoint in report["completed"].values()
    )
    code, output = run(workspace, "serve:upload-results")
    assert code == 0, output
    assert output.count(" now") == len(list(results.iterdir()))
