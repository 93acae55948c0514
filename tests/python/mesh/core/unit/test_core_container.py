"""The entry point of images, over a project written for it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.core.start import main

PROGRAM = """
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

class Settings(MeshSettings):
    code: int = 0

main = Program(component={component!r}, name="it", run=lambda settings: settings.code, settings=(Settings,))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A project `imaged` with two components, one of which has a module that is no program."""
    modules = {
        "compile/trace.py": PROGRAM.format(component="imaged.compile"),
        "serve/upload_results.py": PROGRAM.format(component="imaged.serve"),
        "serve/model.py": "main = None",
    }
    for name, text in modules.items():
        path = tmp_path / "imaged" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in (path.parent, path.parent.parent):
            (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "imaged"
    for name in [name for name in sys.modules if name.partition(".")[0] == "imaged"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("component", "program"),
    [
        ("compile", "trace"),
        ("compile", "compile:trace"),
        ("compile", "serve:upload-results"),
        ("serve", "upload-results"),
    ],
)
def test_named_program_runs_with_its_flags(project: str, component: str, program: str) -> None:
    assert main([f"{project}.{component}", program, "--code", "7"]) == 7


@pytest.mark.parametrize(
    "name", ["", "model", "serve:model", "trase", "os:path", "serve:..", "serve:"]
)
def test_what_is_no_program_gets_the_list(
    project: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"{project}.compile", *([name] if name else [])]) == 2
    assert "there are: serve:upload-results, trace." in capsys.readouterr().err
