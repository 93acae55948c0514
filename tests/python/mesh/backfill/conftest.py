"""Fixtures of the tests of backfills."""

from pathlib import Path

import pytest

from shout_project import ROWS, write_parquet, write_project


@pytest.fixture(scope="session", autouse=True)
def shout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package `shout`, of which tests make backfills."""
    folder = tmp_path_factory.mktemp("projects")
    write_project(folder)
    return folder


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a test works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def parquet(workspace: Path) -> Path:
    """A file of rows in several row groups."""
    return write_parquet(workspace / "in/a.parquet", ROWS, 10)
