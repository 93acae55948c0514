from dataclasses import replace
from pathlib import Path

import pytest

from mesh.backfill.models import shown_variables
from mesh.backfill.worker import Board, model_directory
from mesh.core.project import load_project
from shout_project import plan, write_parquet


def test_board_knows_begun_shards_and_lets_none_begin_after_a_stop() -> None:
    board = Board()
    assert board.begin("a")
    assert board.begin("b")
    board.set("a", 3, 1)
    board.set("gone", 5, 5)
    assert board.look([]) == {"a": (3, 1), "b": (0, 0)}
    # It is tried again.
    assert board.begin("a")
    assert board.look(["b"]) == {"a": (0, 0)}
    board.stop()
    assert not board.begin("c")
    assert board.look([]) == {"a": (0, 0)}


def test_machine_without_the_version_gets_its_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.get", lambda reference: reference)
    monkeypatch.setattr("tempfile.tempdir", str(workspace / "tmp"))
    write_parquet(workspace / "in/a.parquet", [{"text": "a"}])
    job = replace(plan("--input", "in", "--output", "out").job, directory=Path("/away/SHOUT-3"))
    files = [{"model_card.json": b"{}", "deep/er/model.onnx": b"network"}]
    for _ in range(2):
        with model_directory(job, files) as directory:
            assert directory is not None
            assert directory.name == "SHOUT-3"
            assert (directory / "deep/er/model.onnx").read_bytes() == b"network"
            assert (directory / "model_card.json").read_bytes() == b"{}"
    with model_directory(job, []) as directory:
        assert directory == Path("/away/SHOUT-3")


def test_settings_of_the_model_go_to_workers_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOUT_MARK", "?")
    monkeypatch.setenv("SHOUT_OTHER", "x")
    project = load_project("shout")
    assert shown_variables(project) == {"SHOUT_MARK": "?"}
    monkeypatch.setenv("SHOUT_MARK", "https://me:s3cret@example.org")
    assert shown_variables(project) == {}
