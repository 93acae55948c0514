"""`mesh new` in a copy of the source tree; new projects must pass their own tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.core.project import source_root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(source_root() / "mesh", tmp_path / "src/python/mesh")
    return tmp_path


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(tree / "src/python"), *(path for path in sys.path if path)]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=400,
    )


def mesh(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(tree, "-m", "mesh.cli.mesh", *arguments)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("topic-labels", "code-only"),
        ("topic-labels", "trained"),
        ("t", "trained"),
        ("seven-words-with-40-letters-1-2-3-of-all", "code-only"),
    ],
)
def test_new_project_passes_its_own_tests(tree: Path, name: str, kind: str) -> None:
    made = mesh(tree, "new", name, "--kind", kind)
    assert made.returncode == 0, made.stderr
    assert all((tree / path).is_file() for path in made.stdout.split())
    tested = run(
        tree,
        "-m",
        "pytest",
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "tests/python",
    )
    assert "1 passed" in tested.stdout, tested.stdout + tested.stderr
    listed = mesh(tree, "projects")
    assert "8001" in listed.stdout


def test_project_that_declares_nothing_is_named_and_hides_no_other(tree: Path) -> None:
    assert mesh(tree, "new", "alpha").returncode == 0
    (tree / "src/python/junk").mkdir()
    (tree / "src/python/junk/project.py").write_text("")
    listed = mesh(tree, "projects")
    assert listed.returncode == 1
    assert "error: junk/project.py declares no PROJECT" in listed.stderr
    assert mesh(tree, "run", "alpha").returncode == 0


def test_new_projects_get_different_ports(tree: Path) -> None:
    for name in ("one", "two"):
        assert mesh(tree, "new", name).returncode == 0
    ports = [
        line for line in mesh(tree, "projects").stdout.split() if line in {"8001", "8002", "8003"}
    ]
    assert ports == ["8001", "8002"]


def test_malformed_name_is_refused(tree: Path) -> None:
    refused = mesh(tree, "new", "--", "-x")
    assert refused.returncode == 2
    assert "error: '-x' is not a project name" in refused.stderr
    assert not (tree / "tests").exists()


def test_taken_name_is_refused_and_nothing_is_overwritten(tree: Path) -> None:
    assert mesh(tree, "new", "topic").returncode == 0
    before = (tree / "src/python/topic/serve/model.py").read_text()
    refused = mesh(tree, "new", "topic", "--kind", "trained")
    assert refused.returncode == 2
    assert "src/python/topic already exists" in refused.stderr
    assert (tree / "src/python/topic/serve/model.py").read_text() == before
