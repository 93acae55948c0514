"""The `mesh` command in the test's own process, and a registry of its own for it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.cli.mesh import main
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

Mesh = Callable[..., tuple[int, str, str]]
"""Runs the command with arguments; returns exit code, standard output and standard error."""


def settings_of(folder: Path) -> RegistrySettings:
    """The settings of the registry in a folder."""
    return RegistrySettings(uri=f"sqlite:///{folder}/r.db", artifacts=f"{folder}/artifacts")


def use_copy(published: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    """Copy the folder of a registry to a new one, where commands then run, and open the copy."""
    shutil.copytree(published, own)
    monkeypatch.chdir(own)
    settings = settings_of(own)
    for name in ("uri", "artifacts"):
        monkeypatch.setenv(f"MESH_REGISTRY_{name.upper()}", getattr(settings, name))
    return open_registry(settings)


def make_mesh(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    """A function that runs `mesh COMMAND`."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mesh", command, *arguments])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
