"""A training keeps what it needs, says early what it lacks, and is recorded as a run."""

import logging
import os
import shutil
import tempfile
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError
from mesh.core.files import temporary_folder
from mesh.lifecycle.training.checkpoints import open_work, remove_work
from mesh.lifecycle.training.epochs import Epochs
from mesh.registry.factory import open_runs
from mesh.registry.mlflow.registry import MlflowRegistry
from mesh.registry.runs import ERROR_TAG, Run
from tiny_training import weights

Usage = namedtuple("Usage", "total used free")


def runs(tiny: Any) -> list[Run]:
    """The project's runs, oldest first."""
    found = open_runs(tiny.registry_settings).list("tiny")
    return sorted(found, key=lambda run: run.started)


class Killed(BaseException):
    pass


def test_training_goes_on_and_resumes_when_all_temporary_files_vanish(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tiny.train(record=False)
    expected = weights(tiny)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    dies = True

    def clean_up(self: Any, args: Any, state: Any, *_: Any, **__: Any) -> None:
        if state.epoch > 1:
            for path in temporary.iterdir():
                shutil.rmtree(path)
        if state.epoch > 2 and dies:
            raise Killed

    monkeypatch.setattr(Epochs, "on_step_end", clean_up)
    # As all programs have it.
    with pytest.raises(Killed), temporary_folder():
        tiny.train(force=True)
    dies = False
    with temporary_folder():
        tiny.train(force=True)
        # The steps that follow can make some again.
        tempfile.TemporaryFile().close()
    assert "training resumes from" in caplog.text
    assert weights(tiny) == expected
    # The same run goes on.
    [run] = runs(tiny)
    assert (run.state, run.version) == ("finished", "TINY-TRAINED-2")


def test_run_has_all_about_the_training_and_the_version_names_it(tiny: Any) -> None:
    tiny.train(epochs=2, record=False)
    expected = weights(tiny)
    assert runs(tiny) == []
    tiny.train(epochs=2, force=True)
    assert weights(tiny) == expected, "watching changes nothing"
    version = tiny.registry.get("TINY-TRAINED-2")
    [run] = runs(tiny)
    assert version.card.settings["run"] == {"experiment": "tiny", "id": run.id}
    assert (run.state, run.version) == ("finished", "TINY-TRAINED-2")
    assert run.parameters["learning_rate"] == "0.01"
    assert run.parameters["rows_of_a_step"] == "16"
    assert run.tags["mesh.data_version"] == version.card.data_version
    assert run.figures["test/macro_f1"] == version.card.metrics["test"]["macro_f1"]
    assert run.figures["temperature"] == version.card.metrics["temperature"]

    found = open_runs(tiny.registry_settings)
    steps = 2 * -(-int(run.parameters["rows_train"]) // 16)
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second", "memory_mb"):
        history = found.history(run.id, f"train/{name}")
        assert [figure.step for figure in history] == list(range(1, steps + 1)), name
    scores = [figure.value for figure in found.history(run.id, "validation/score")]
    assert scores == [epoch["eval_score"] for epoch in version.card.metrics["epochs"]]
    unwatched = tiny.registry.get("TINY-TRAINED-1").card.metrics["epochs"]
    for epoch, other in zip(version.card.metrics["epochs"], unwatched, strict=True):
        assert set(epoch) == set(other)
        assert epoch["loss"] == pytest.approx(other["loss"], rel=1e-4), "the mean of its steps"

    files = Path(tiny.registry_settings.artifacts) / run.id / "artifacts"
    names = {path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()}
    assert {"card/model_card.json", "plots/confusion_matrix.png"} <= names
    assert tiny.registry.verify("TINY-TRAINED-2") == []
    tiny.train(epochs=2)
    assert len(runs(tiny)) == 1, "there was nothing to train"


def test_failed_training_is_a_run_and_its_result_is_registered_later(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def fail(*_: Any, **__: Any) -> None:
        raise MeshError("The registry failed: it can't be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowRegistry, "publish", fail)
        with pytest.raises(MeshError, match=r"reached; the trained network is kept in .*, and the"):
            tiny.train(epochs=1)
    [run] = runs(tiny)
    assert run.state == "failed"
    assert run.tags[ERROR_TAG].startswith("The registry failed: it can't be reached; the trained")
    assert tiny.registry.list() == []
    caplog.clear()
    tiny.train(epochs=1)
    assert "the training has ended before" in caplog.text
    assert "epoch 1: validation score" not in caplog.text
    [run] = runs(tiny)
    assert (run.state, run.version) == ("finished", "TINY-TRAINED-1")


def test_full_disk_is_found_before_the_training(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 100_000))
        with pytest.raises(
            MeshError, match=r"This training needs 0\.\d MB on the disk of .*: make"
        ):
            tiny.train(epochs=1)
    assert "validation score" not in caplog.text
    assert [run.state for run in runs(tiny)] == ["failed"]
    assert tiny.registry.list() == []


def test_alias_to_compare_with_that_does_not_exist_is_found_before_the_training(
    tiny: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(
        MeshError,
        match=r"No version of TINY-TRAINED has the alias 'stagng', .*COMPARE_WITH names; there is none",
    ):
        tiny.train(epochs=1, compare_with="stagng")
    assert "validation score" not in caplog.text
    assert tiny.registry.list() == []


def test_folder_of_a_training_belongs_to_one_process_and_others_stay(tmp_path: Path) -> None:
    with open_work(tmp_path, "one", alone=True) as work, open_work(tmp_path, "two", alone=True):
        same = open_work(tmp_path, "one", alone=True)
        with pytest.raises(MeshError, match="Another process does the same training"), same:
            pass
        with open_work(tmp_path, "one", alone=False):
            remove_work(work)
        assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_interrupted_training_is_kept_for_a_week(tmp_path: Path) -> None:
    for name, age in (("old", 8), ("used", 8), ("new", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
        moment = time.time() - age * 24 * 3600
        os.utime(tmp_path / name, (moment, moment))
    with open_work(tmp_path, "used", alone=True), open_work(tmp_path, "done", alone=True) as work:
        remove_work(work)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "used"]
