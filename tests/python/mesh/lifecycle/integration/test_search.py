"""Searches with tiny trainings: what trials leave, how they end, and the winner's version."""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mesh.core.process import exit_code_of
from mesh.lifecycle.search.messages import Ended, Epoch, Message, Stopped, Task
from mesh.lifecycle.search.processes import Processes
from mesh.lifecycle.search.searching import Search, search
from mesh.lifecycle.search.space import changed, read_space
from mesh.lifecycle.search.study import Study
from mesh.lifecycle.search.trial import run_trial
from mesh.lifecycle.training import network, recording
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.factory import open_runs
from mesh.registry.runs import Run
from tiny_training import TINY, Tiny, write_recipe

SPACE = """
[parameters]
learning_rate = [0.01, 1e-6]
head_learning_rate = [0.01, 1e-6]
seed = { low = 1, high = 1000 }
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recipe of the tiny project, in a package that processes import."""
    monkeypatch.syspath_prepend(tmp_path / "code")
    for name in [name for name in list(sys.modules) if name.partition(".")[0] == "tiny"]:
        monkeypatch.delitem(sys.modules, name)
    return write_recipe(tmp_path / "code")


def make_search(tiny: Tiny, trials: int, **settings: Any) -> Search:
    file = tiny.workspace.workspace / "space.toml"
    file.write_text(SPACE)
    fixed = FineTuneSettings(**tiny.settings(epochs=2, **settings))
    return Search(
        recipe=tiny.recipe,
        settings=fixed,
        workspace=tiny.workspace,
        data=tiny.data,
        registry=tiny.registry_settings,
        space=read_space(file, fixed),
        trials=trials,
        at_once=1,
    )


class Threads:
    """Trials as threads of this process, which has torch already."""

    def __init__(self) -> None:
        self._messages: queue.Queue[tuple[int, Message]] = queue.Queue()
        self._replies: queue.Queue[bool] = queue.Queue()
        self._thread = threading.Thread()

    def start(self, task: Task) -> None:
        def ask(message: Epoch | Ended) -> bool:
            self._messages.put((task.number, message))
            return self._replies.get()

        def work() -> None:
            if last := run_trial(task, ask):
                self._messages.put((task.number, last))

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def receive(self) -> tuple[int, Message]:
        return self._messages.get()

    def reply(self, number: int, answer: bool) -> None:
        self._replies.put(answer)

    def finish(self, number: int) -> None:
        self._thread.join()

    def close(self) -> None:
        pass


def runs(tiny: Tiny) -> dict[str, Run]:
    """The project's runs by their names."""
    return {run.name: run for run in open_runs(tiny.registry_settings).list("tiny")}


def checkpoints(tiny: Tiny) -> Sequence[Path]:
    return sorted(tiny.output("checkpoints").iterdir())


def test_winner_is_kept_and_registered_without_training_again(
    tiny: Any, recipe: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    # A busy machine may need longer.
    monkeypatch.setattr(recording, "_PATIENCE", 600)
    prunes: list[int] = []
    monkeypatch.setattr(Study, "goes_on", lambda _, trial, *__: trial.number not in prunes)
    chosen = make_search(tiny, 2)
    study = search(chosen, Threads)
    best, other = study.trials()
    assert best.parameters["learning_rate"] == 0.01
    assert best.ended.value is not None
    assert other.ended.value is not None
    assert best.ended.value > other.ended.value
    assert [path.name for path in checkpoints(tiny)] == [best.ended.network]
    assert not list(checkpoints(tiny)[0].glob("checkpoint-*"))

    prunes.append(2)
    study = search(make_search(tiny, 3), Threads)
    [pruned] = [trial for trial in study.trials() if trial.ended.state == "pruned"]
    assert [path.name for path in checkpoints(tiny)] == [best.ended.network]

    found = runs(tiny)
    assert {name: run.state for name, run in found.items()} == {
        "search": "finished",
        **{f"trial {trial.number}": "finished" for trial in (best, other)},
        f"trial {pruned.number}": "pruned",
    }
    assert {run.parent for name, run in found.items() if name != "search"} == {found["search"].id}
    assert found["search"].parent == ""
    assert found["search"].figures["search/best"] == best.ended.value
    trial = found[f"trial {best.number}"]
    assert trial.figures["trial/value"] == best.ended.value
    assert trial.figures["validation/epoch"] == 2
    assert (trial.id, trial.version) == (best.ended.run, "")
    assert tiny.registry.list() == []

    caplog.clear()
    tiny.train(epochs=2, **best.parameters)
    assert "the training has ended before" in caplog.text
    assert "validation score" not in caplog.text
    trial = runs(tiny)[f"trial {best.number}"]
    assert (trial.id, trial.version) == (best.ended.run, "TINY-TRAINED-1")
    assert trial.parent == found["search"].id
    assert not tiny.output("checkpoints").exists()


def test_trial_that_can_not_be_done_says_why(
    tiny: Any, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = make_search(tiny, 1)

    def run(**settings: Any) -> Any:
        task = Task(
            number=0,
            project=TINY,
            settings=changed(chosen.settings, settings),
            workspace=tiny.workspace,
            data=tiny.data,
            registry=tiny.registry_settings,
            metric="validation/score",
            search="",
            threads=0,
        )
        return run_trial(task, lambda _: True)

    missing = run(base_model="nowhere")
    assert isinstance(missing, Ended)
    assert "The base model nowhere doesn't exist" in missing.reason

    def lack(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory\nwith details")

    with monkeypatch.context() as patch:
        patch.setattr(network, "load_network", lack)
        assert run() == Ended(state="failed", reason="RuntimeError: out of memory")

    def fill(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(network, "load_network", fill)
        full = run()
    assert isinstance(full, Stopped)
    assert full.reason.endswith("is full: make room there, and search again: the search goes on.")
    assert not full.is_killed
    assert {run.state for run in open_runs(tiny.registry_settings).list("tiny")} == {"failed"}


def test_process_of_a_trial_that_is_killed_or_ended(tiny: Any, recipe: Path) -> None:
    """Before it has imported anything large."""
    search_settings = make_search(tiny, 1)
    task = Task(
        number=5,
        project=TINY,
        settings=search_settings.settings,
        workspace=tiny.workspace,
        data=tiny.data,
        registry=tiny.registry_settings,
        metric="validation/score",
        search="",
        threads=0,
    )
    processes = Processes()
    recipe.write_text("import os\n\nos.kill(os.getpid(), 9)\n")
    processes.start(task)
    code = exit_code_of(-signal.SIGKILL)
    assert processes.receive() == (
        5,
        Stopped(f"its process has ended with code {code}", is_killed=True),
    )
    recipe.write_text("import pathlib, time\n\npathlib.Path('here').touch()\ntime.sleep(3600)\n")
    processes.start(task)
    [(_, process)] = processes._running.values()
    processes.close()
    assert process.returncode in (-signal.SIGTERM, exit_code_of(-signal.SIGTERM))
    processes.close()
