"""`mesh ui` in a browser: two recorded trainings are compared on MLflow's page."""

import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from mesh.cli.ui import install_pages
from mesh.core.errors import MeshError
from mesh.registry.factory import open_runs
from mesh.registry.runs import Figure
from mesh.registry.settings import RegistrySettings
from mesh_command import free_port

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
RATES = (0.125, 0.0625)


@pytest.fixture
def _pages() -> None:
    """The pages, installed in the user's folder, if a package index can be reached."""
    try:
        install_pages(Console(stderr=True))
    except MeshError as error:
        pytest.skip(str(error))


@pytest.fixture
def served(_pages: None, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of the pages, and the ids of two runs."""
    settings = RegistrySettings(uri=f"sqlite:///{tmp_path}/registry.db")
    runs, ids = open_runs(settings), []
    for rate in RATES:
        run_id = runs.start("ner", "NER-TRAINED", {"learning_rate": str(rate)}, {}, 1)
        runs.record(run_id, [Figure("train/loss", rate / step, step, 2) for step in range(1, 9)])
        runs.end(run_id, "finished", {})
        ids.append(run_id)
    port = free_port()
    command = [sys.executable, "-m", "mesh.cli.mesh", "ui", f"--port={port}"]
    path = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": path, "MESH_REGISTRY_URI": settings.uri}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(address):
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield address, ids
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_two_runs_are_compared(served: tuple[str, list[str]], tmp_path: Path) -> None:
    address, ids = served
    runs = urllib.parse.quote(str(ids).replace("'", '"').replace(" ", ""))
    page = f"{address}/#/compare-runs?runs={runs}&experiments=%5B%221%22%5D"
    browser = [
        str(BROWSER),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", f"--user-data-dir={tmp_path}/profile", "--window-size=1400,1400"),
        "--virtual-time-budget=30000",
    ]
    shown = subprocess.run(
        [*browser, "--dump-dom", page], capture_output=True, text=True, timeout=300, check=True
    ).stdout
    assert "Comparing 2 Runs from 1 Experiment" in shown
    for text in (*ids, *map(str, RATES), "learning_rate", "train/loss"):
        assert text in shown
    picture = tmp_path / "compared.png"
    subprocess.run([*browser, f"--screenshot={picture}", page], timeout=300, check=True)
    assert picture.stat().st_size > 30_000, "more than an empty page"
