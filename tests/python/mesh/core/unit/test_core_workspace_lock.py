"""One process at a time works on a project's outputs in a workspace."""

import fcntl
import importlib
import logging
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from mesh.core import workspace_lock
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.steps import find_program
from mesh.core.workspace import WorkspaceSettings
from mesh.core.workspace_lock import locked

KEYWORDS = Project(name="keywords", description="", port=1)
NER = Project(name="ner", description="", port=2)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceSettings:
    monkeypatch.setattr(workspace_lock, "_POLL_SECONDS", 0.01)
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    return WorkspaceSettings(workspace=tmp_path)


@contextmanager
def held(workspace: WorkspaceSettings, holder: str = "") -> Iterator[Path]:
    """The lock as another process holds it."""
    path = workspace.output(KEYWORDS, ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write(holder)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def is_free(workspace: WorkspaceSettings, project: Project = KEYWORDS) -> bool:
    with workspace.output(project, ".lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_the_lock_is_held_until_the_block_ends_and_names_its_holder(workspace) -> None:
    with locked(workspace, KEYWORDS, "keywords.train:train"):
        assert not is_free(workspace)
        text = workspace.output(KEYWORDS, ".lock").read_text()
        assert text.startswith(f"keywords.train:train (process {os.getpid()} of ")
        # Others of the workspace's projects are not held up, and this process isn't either.
        with locked(workspace, NER, ""), locked(workspace, KEYWORDS, ""):
            assert not is_free(workspace, NER)
        assert not is_free(workspace)
    assert is_free(workspace)
    with pytest.raises(ZeroDivisionError), locked(workspace, KEYWORDS, ""):
        raise ZeroDivisionError
    assert is_free(workspace)


@pytest.mark.parametrize(
    ("holder", "named"), [("a run (process 7)", r"a run \(process 7\)"), ("", "another process")]
)
def test_the_second_waits_and_says_for_whom(workspace, caplog, holder: str, named: str) -> None:
    caplog.set_level(logging.WARNING)
    entered = threading.Event()

    def enter() -> None:
        with locked(workspace, KEYWORDS, ""):
            entered.set()

    second = threading.Thread(target=enter)
    with held(workspace, holder):
        second.start()
        assert not entered.wait(0.2)
    second.join()
    assert entered.is_set()
    (record,) = caplog.records
    pattern = rf"The outputs of keywords in .*/outputs/keywords are in use by {named}; waiting"
    assert re.match(pattern, record.getMessage())


def test_a_folder_that_was_removed_meanwhile_is_locked_again(workspace) -> None:
    entered = threading.Event()

    def enter() -> None:
        with locked(workspace, KEYWORDS, ""):
            entered.set()

    second = threading.Thread(target=enter)
    with held(workspace) as path:
        second.start()
        assert not entered.wait(0.1)
        shutil.rmtree(path.parent)
        second.join()
    assert entered.is_set()


def test_the_first_process_of_torchrun_takes_it_for_all_without_waiting(
    workspace, monkeypatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("RANK", "0")
    with held(workspace, "a run"):
        with (
            pytest.raises(MeshError, match="in use by a run; start this again"),
            locked(workspace, KEYWORDS, ""),
        ):
            pass
        monkeypatch.setenv("RANK", "1")
        with locked(workspace, KEYWORDS, ""):
            assert not is_free(workspace)


def test_a_workspace_that_can_not_be_written(workspace) -> None:
    workspace.workspace.joinpath("outputs").write_text("a file")
    with (
        pytest.raises(MeshError, match=r"\.lock can't be written: (Not a directory|File exists)"),
        locked(workspace, KEYWORDS, ""),
    ):
        pass


def test_steps_of_a_server_work_beside_outputs_that_can_not_be_written(
    workspace, monkeypatch
) -> None:
    workspace.workspace.joinpath("outputs").write_text("a file")
    ran: list[WorkspaceSettings] = []
    made = SimpleNamespace(
        program=lambda project: Program(
            component="tiny.step", name="do", settings=(), run=ran.append
        )
    )
    monkeypatch.setattr(importlib, "import_module", lambda name: made)
    find_program(KEYWORDS, "serve:download").run(workspace)
    assert ran == [workspace]
    with pytest.raises(MeshError, match=r"\.lock can't be written"):
        find_program(KEYWORDS, "compile:trace").run(workspace)
    assert ran == [workspace]
