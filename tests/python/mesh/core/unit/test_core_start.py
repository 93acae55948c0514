"""The entry point of programs, over a project written for it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imported_modules import imported_by
from mesh.core.start import main

PROGRAM = """
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

class Settings(MeshSettings):
    code: int = 0

def program(project):
    return Program(
        component=project.package + ".any", name="it", run=lambda settings: settings.code, settings=(Settings,)
    )
"""
PROJECT = """
from mesh.core.project import Project

PROJECT = Project(
    name="imaged",
    description="",
    port=1,
    steps=("compile:trace", "compile:upload", "serve:upload-results"),
    modules={
        "compile:trace": "imaged.trace",
        "compile:upload": "imaged.of_another_image",
        "serve:upload-results": "imaged.results",
    },
)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A project `imaged`; the module of one of its steps is not in this image."""
    folder = tmp_path / "imaged"
    folder.mkdir()
    (folder / "project.py").write_text(PROJECT)
    for module in ("trace", "results"):
        (folder / f"{module}.py").write_text(PROGRAM)
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


def test_program_of_a_library_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "librarian/desk"
    folder.mkdir(parents=True)
    text = PROGRAM.replace("def program(project):\n    return ", "main = ")
    text = text.replace("project.package", '"librarian"').replace('"it"', '"lend-out"')
    (folder / "lend_out.py").write_text(text)
    (folder / "idle.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["librarian.desk", "lend-out", "--code", "5"]) == 5
    for name in ("idle", "none", "", ".."):
        assert main(["librarian.desk", name]) == 2
        sentence = f"There is no program {name!r} here; there are: lend-out."
        assert sentence in capsys.readouterr().err


def test_unknown_package_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense.compile", "trace"]) == 2
    assert capsys.readouterr().err == "error: There is no package 'nonsense'.\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["keywords"]])
def test_missing_component_shows_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == (0 if arguments == ["--help"] else 2)
    assert capsys.readouterr().out.startswith("usage: python -m mesh.core.start")


@pytest.mark.parametrize(
    "name", ["", "model", "upload", "compile:upload", "trase", "os:path", "serve:..", "serve:"]
)
def test_what_is_no_program_gets_the_list(
    project: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"{project}.compile", *([name] if name else [])]) == 2
    assert "there are: serve:upload-results, trace." in capsys.readouterr().err


def test_nothing_large_is_imported_before_garbage_collection_is_off() -> None:
    large = {"asyncio", "pydantic", "pydantic_settings", "urllib.request", "mesh.core.program"}
    assert imported_by("mesh.core.start", large) == set()
