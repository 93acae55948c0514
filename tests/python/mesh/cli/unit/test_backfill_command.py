"""`mesh backfill`: what it starts, and what it refuses."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from mesh.backfill.settings import BackfillSettings
from mesh.cli import backfill
from mesh.cli.mesh import main
from mesh.core.program import Program
from mesh.core.project import CODE_ONLY_STEPS, Project
from mesh.core.settings import MeshSettings

TRAINED = Project(name="my-moods", description="", port=1)
CODE = Project(name="code", description="", port=1, kind="code-only", steps=CODE_ONLY_STEPS)


class Started(BaseException):
    """The process has become another program."""


class _Download(MeshSettings):
    reference: str = ""


@dataclass
class Calls:
    """What a command did.

    Args:
        repository: the folder of the clone.
        exit_code: of the download.
        downloads: the reference of each download.
        words: of the program that the process became.
    """

    repository: Path
    exit_code: int = 0
    downloads: list[str] = field(default_factory=list)
    words: Sequence[str] = ()

    def download(self, settings: _Download) -> int:
        self.downloads.append(settings.reference)
        return self.exit_code


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls(tmp_path / "clone")
    (made.repository / "src/python").mkdir(parents=True)
    (made.repository / "pants").touch()
    program = Program(
        component="mesh.cli", name="download", run=made.download, settings=(_Download,)
    )

    def become(path: str, words: Sequence[str], environment: dict[str, str]) -> NoReturn:
        assert (path, Path.cwd()) == (words[0], made.repository)
        assert not any(name.startswith(("PEX", "PYTHON")) for name in environment)
        made.words = words
        raise Started

    projects = {project.name: project for project in (TRAINED, CODE)}
    monkeypatch.setattr(backfill, "get_project", projects.__getitem__)
    monkeypatch.setattr(backfill, "find_program", lambda _project, _step: program)
    monkeypatch.setattr("mesh.core.pants.source_root", lambda: made.repository / "src/python")
    monkeypatch.setattr(os, "execve", become)
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    called_from = tmp_path / "caller"
    called_from.mkdir()
    monkeypatch.chdir(called_from)
    monkeypatch.setenv("MESH_CALLED_FROM", "/caller")
    return made


def start(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["mesh", "backfill", *arguments])
    with pytest.raises(Started):
        main()


def test_step_starts_in_its_own_environment_with_the_user_s_paths(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [
        *("--input", "a.csv", "b/*.csv,s3://c/d.csv", "/e.csv", "--text", "body"),
        *("--output=out", "--model-directory", "models/x", "--verify"),
    ]
    start(monkeypatch, "code", *flags)
    assert calls.words == (
        *(f"{calls.repository}/pants", "run", "src/python/code/backfill:backfill", "--"),
        *("--input", "/caller/a.csv", "/caller/b/*.csv,s3://c/d.csv", "/e.csv", "--text", "body"),
        *("--output=/caller/out", "--model-directory", "/caller/models/x", "--verify"),
    )
    assert "installed once" in capsys.readouterr().err
    assert calls.downloads == []


def test_model_is_downloaded_where_none_is_here(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, "my-moods")
    start(monkeypatch, "my-moods", "--version", "MY-MOODS-COMPILED:prod")
    start(monkeypatch, "my-moods", "--model-directory=x")
    assert calls.downloads == ["", "MY-MOODS-COMPILED:prod"]
    assert calls.words[2] == "src/python/my_moods/backfill:backfill"


def test_model_that_is_here_is_taken(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path))
    (tmp_path / "models/MY-MOODS-COMPILED-3").mkdir(parents=True)
    record = tmp_path / "models/MY-MOODS-COMPILED.json"
    record.write_text('{"reference": "MY-MOODS-COMPILED-3"}')
    start(monkeypatch, "my-moods")
    assert calls.downloads == []


def test_failed_download_ends_the_command(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    calls.exit_code = 3
    monkeypatch.setattr("sys.argv", ["mesh", "backfill", "my-moods"])
    assert main() == 3
    assert not calls.words


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("code", "--cpus", "2"), "--cpus is for --emit"),
        (("code", "--secret", "a"), "--secret is for --emit"),
        (("code", "--version", "CODE-COMPILED-1"), "The code of code is its model"),
        (("my-moods", "--version", "OTHER-COMPILED-1"), "OTHER"),
        (("my-moods", "--version", "x y"), "x y"),
        (("my-moods", "--emit", "j"), "Name the version of my-moods"),
        (("code", "--emit", "j", "--min-pods=3", "--max-pods=2"), "--max-pods 2 is less than"),
        (("code", "--emit", "j", "--memory", "8"), "an amount of memory is such as 8Gi"),
        (("code", "--emit", "j", "--secret", "A_b"), "a name in Kubernetes is lower-case"),
        (("code", "--emit", "j", "--name", "A_b"), "Kubernetes takes no 'A_b'"),
        (("code", "--emit", "j"), "BACKFILL_INPUT is required"),
    ],
)
def test_mistakes_are_one_sentence(
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["mesh", "backfill", *arguments])
    assert main() == 2
    assert sentence in capsys.readouterr().err
    assert not calls.words
    assert not list(Path.cwd().iterdir())


def test_options_are_no_flags_of_the_step() -> None:
    options = {name for option in backfill.command.params for name in option.opts}
    flags = {f"--{name.replace('_', '-')}" for name in BackfillSettings.model_fields}
    assert not options & flags
    help_text = backfill.command.epilog or ""
    assert all(f"{flag}\n" in help_text for flag in flags)


def test_without_a_clone_it_is_a_sentence(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (calls.repository / "pants").unlink()
    monkeypatch.setattr("sys.argv", ["mesh", "backfill", "code"])
    assert main() == 2
    assert f"{calls.repository} isn't one" in capsys.readouterr().err
