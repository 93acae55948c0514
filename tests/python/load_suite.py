"""Shared parts of the projects' load suites: put load on a server, measure it, keep the results."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mesh.core.project import Project
from mesh_command import Served

PATIENCE = 120


def check_load(project: Project, served: Served) -> Path:
    """Put the server under load for 3 seconds.

    Returns:
        The folder with the results of the passed test.
    """
    code, output = run(project, served, "serve:load", f"--url={served.url}", "--run-seconds=3")
    assert (code, "The load test has passed." in output) == (0, True), output
    [results] = (served.workspace / "models").glob("*/local/test_results")
    report = json.loads((results / "load_test_report.json").read_text())
    assert report["num_requests_fail"] == 0
    endpoints = report["completed"].values()
    assert endpoints
    assert all(endpoint["measurements"]["requests_total"] > 0 for endpoint in endpoints)
    return results


def check_results_are_registered(project: Project, served: Served, results: Path) -> None:
    """Attach all results to the first compiled version, which is served."""
    assert results.is_relative_to(served.workspace / "models" / f"{project.compiled_model}-1")
    code, output = run(project, served, "serve:upload-results")
    assert code == 0, output
    assert output.count(" now") == len(list(results.iterdir()))


def run(project: Project, served: Served, step: str, *flags: str) -> tuple[int, str]:
    """Run a step in a separate process; return its exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "mesh.core.start", f"{project.package}.serve", step, *flags],
        cwd=served.workspace,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout
