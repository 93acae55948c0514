"""`mesh ui`: the pages' packages, and sentences where they can't be shown."""

import importlib.metadata
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from mesh.cli import ui
from mesh.core.errors import MeshError


def test_pages_are_of_the_version_of_the_registry_and_pinned() -> None:
    lines = [line for line in ui._PACKAGES.read_text().splitlines() if not line.startswith("#")]
    pinned = [
        re.fullmatch(r"([\w-]+)==([\d.]+) --hash=sha256:[0-9a-f]{64}", line) for line in lines
    ]
    versions = {match[1]: match[2] for match in pinned if match}
    assert len(versions) == len(lines)
    assert versions["mlflow"] == importlib.metadata.version("mlflow-skinny")


def test_a_failed_installation_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with pytest.raises(MeshError, match=r"The command to make an environment for pip failed: "):
        ui.install_pages(Console(stderr=True, quiet=True))
    assert list((tmp_path / "mesh/ui").iterdir()) == []


def test_a_server_shows_its_own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_REGISTRY_URI", "https://ann:hidden@registry:5000")
    with pytest.raises(MeshError, match=r"registry:5000 is a server, whose machine") as error:
        ui.command([], standalone_mode=False)
    assert "hidden" not in str(error.value)
