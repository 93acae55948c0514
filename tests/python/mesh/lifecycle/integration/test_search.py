"""Searches with tiny trainings, whose trials are processes."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mesh.lifecycle.search.processes import Processes
from mesh.lifecycle.search.searching import Search, search
from mesh.lifecycle.search.space import read_space
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.factory import open_runs
from mesh.registry.runs import Run
from tiny_training import OPINIONS, Tiny

SPACE = """
[parameters]
learning_rate = [1e-6, 0.01]
head_learning_rate = [1e-6, 0.01]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of the tiny project, which processes of trials import."""
    package = tmp_path / "code/tiny"
    package.mkdir(parents=True)
    (package / "recipe.py").write_text("from tiny_training import OPINIONS as RECIPE\n")
    monkeypatch.syspath_prepend(tmp_path / "code")


def make_search(tiny: Tiny, trials: int, space: str = SPACE, at_once: int = 1, **settings: Any) -> Search:
    file = tiny.workspace.workspace / "space.toml"
    file.write_text(space)
    fixed = FineTuneSettings(**tiny.settings(epochs=2, **settings))
    return Search(
        recipe=tiny.recipe,
        settings=fixed,
        workspace=tiny.workspace,
        data=tiny.data,
        registry=tiny.registry_settings,
        space=read_space(file, fixed),
        trials=trials,
        at_once=at_once,
    )


def runs(tiny: Any) -> list[Run]:
    return list(open_runs(tiny.registry_settings).list("tiny"))


def test_best_trial(tiny: Any, project: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    study = search(make_search(tiny, 4), Processes)
    print(caplog.text)
    for trial in study.trials(): print(trial)
    for run in runs(tiny): print(run.name, run.state, run.parent, run.figures.get("trial/value"))
    print(list(tiny.output("checkpoints").rglob("*")))
    assert 0
