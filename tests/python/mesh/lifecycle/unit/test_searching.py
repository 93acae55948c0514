"""The loop of a search, with trials that only say what they are told to."""

import errno
import json
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from optuna.storages.journal import JournalFileBackend

from mesh.core.errors import MeshError
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.lifecycle.search.messages import Ended, Epoch, Message, Stopped, Task
from mesh.lifecycle.search.searching import Search, search
from mesh.lifecycle.search.space import read_space
from mesh.lifecycle.search.study import Study
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.settings import RegistrySettings
from tiny_training import OPINIONS

EPOCHS = 4
SPACE = "learning_rate = { low = 0.1, high = 1.0 }\nseed = { low = 1, high = 1000 }"

Script = Callable[[Task, int], Message | None]
"""From a trial and its epoch to what it says instead of the value, which is the learning rate."""


@dataclass
class Workers:
    """Trials that say their learning rates after each epoch.

    Args:
        interrupt: the number of the message at which Ctrl-C comes.
    """

    script: Script = lambda task, epoch: None
    interrupt: int = 0
    started: list[Task] = field(default_factory=list)
    kept: dict[int, bool] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    most: int = 0
    said: int = 0

    def __post_init__(self) -> None:
        self._tasks: dict[int, Task] = {}
        self._messages: deque[tuple[int, Message]] = deque()
        self._epochs: dict[int, int] = {}

    def start(self, task: Task) -> None:
        self.started.append(task)
        self.running.add(task.number)
        self.most = max(self.most, len(self.running))
        self._tasks[task.number] = task
        self._epochs[task.number] = 0
        self._go_on(task.number)

    def receive(self) -> tuple[int, Message]:
        self.said += 1
        if self.said == self.interrupt:
            raise KeyboardInterrupt
        number, message = self._messages.popleft()
        if isinstance(message, Stopped):
            self.running.remove(number)
        return number, message

    def reply(self, number: int, answer: bool) -> None:
        if self._epochs[number] > EPOCHS:
            self.kept[number] = answer
            folder = checkpoints(self._tasks[number].workspace) / f"network {number}"
            if answer:
                folder.mkdir(parents=True, exist_ok=True)
        elif answer:
            self._go_on(number)
        else:
            self._messages.append((number, Ended(state="pruned")))

    def finish(self, number: int) -> None:
        self.running.remove(number)

    def close(self) -> None:
        self.running.clear()

    def _go_on(self, number: int) -> None:
        self._epochs[number] += 1
        epoch, task = self._epochs[number], self._tasks[number]
        message = self.script(task, epoch)
        if message is None and epoch <= EPOCHS:
            message = Epoch(epoch, task.settings.learning_rate)
        elif message is None:
            network = f"network {number}"
            value = task.settings.learning_rate
            message = Ended(state="complete", value=value, epoch=1, network=network)
        self._messages.append((number, message))


def checkpoints(workspace: WorkspaceSettings) -> Path:
    return workspace.output(OPINIONS.project, "checkpoints")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.setattr(Search, "fingerprint", lambda _: "f" * 64)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return make_settings(tmp_path)


def make_settings(folder: Path, space: str = SPACE, **fields: Any) -> Search:
    folder.mkdir(exist_ok=True)
    file = folder / "space.toml"
    file.write_text(f"[parameters]\n{space}")
    fixed = FineTuneSettings(base_model="base", record=False)
    return Search(
        recipe=OPINIONS,
        settings=fixed,
        workspace=WorkspaceSettings(workspace=folder),
        data=DataSettings(root=str(folder / "data")),
        registry=RegistrySettings(uri=f"sqlite:///{folder}/registry.db"),
        space=read_space(file, fixed),
        **{"trials": 8, "at_once": 1, **fields},
    )


def run(settings: Search, **script: Any) -> tuple[Study, Workers]:
    workers = Workers(**script)
    return search(settings, lambda: workers), workers


def tried(study: Study) -> dict[int, dict[str, Any]]:
    return {trial.number: trial.parameters for trial in study.trials()}


def test_best_is_found_and_others_are_pruned(settings: Search) -> None:
    study, workers = run(replace(settings, trials=12))
    trials = study.trials()
    assert [task.number for task in workers.started] == list(range(12))
    values = [each.ended.value or 0 for each in trials if each.ended.state == "complete"]
    assert values == sorted(values, reverse=True)
    assert len(values) < 12
    best = study.best()
    assert best == trials[0]
    assert best.ended.value == max(task.settings.learning_rate for task in workers.started)
    # The first five, by whose median the others are judged, and the first epoch are never pruned.
    assert {0, 1, 2, 3, 4} <= {each.number for each in trials if each.ended.state == "complete"}
    assert workers.said > 12 * 2
    assert workers.most == 1
    assert not (settings.workspace.workspace / "registry.db").exists()
    assert settings.folder == settings.workspace.workspace / "searches/tiny"


def test_network_of_the_best_trial_is_the_only_one_that_stays(settings: Search) -> None:
    study, workers = run(settings)
    best = study.best()
    assert best
    assert [path.name for path in checkpoints(settings.workspace).iterdir()] == [best.ended.network]
    highest = 0.0
    for number, kept in workers.kept.items():
        value = tried(study)[number]["learning_rate"]
        assert kept == (value > highest)
        highest = max(highest, value)


@pytest.mark.parametrize("message", [1, 2, 6, 45])
def test_interrupted_search_goes_on_as_if_it_had_not_been(
    settings: Search, tmp_path: Path, message: int
) -> None:
    # After ten trials, settings are chosen by what the others have.
    settings = replace(settings, trials=12)
    expected = tried(run(make_settings(tmp_path / "other", trials=12))[0])
    with pytest.raises(KeyboardInterrupt):
        run(settings, interrupt=message)
    study, workers = run(settings)
    assert tried(study) == expected
    begun = [task.number for task in workers.started]
    assert begun == list(range(begun[0], 12))
    again, workers = run(settings)
    assert (tried(again), workers.started) == (expected, [])


def test_more_trials_may_be_asked_for_later(settings: Search) -> None:
    assert len(run(replace(settings, trials=3))[0].trials()) == 3
    study, workers = run(replace(settings, trials=5))
    assert [task.number for task in workers.started] == [3, 4]
    assert tried(study) == tried(run(replace(settings, trials=2))[0])


def test_several_run_at_once(settings: Search) -> None:
    study, workers = run(replace(settings, at_once=3))
    assert workers.most == 3
    assert len(study.trials()) == 8
    assert {task.threads > 0 for task in workers.started} == {True}


@pytest.mark.parametrize("at_once", [1, 3])
def test_same_settings_are_tried_once(tmp_path: Path, settings: Search, at_once: int) -> None:
    chosen = make_settings(tmp_path / "few", "learning_rate = [0.1, 0.2]", at_once=at_once)
    study, workers = run(chosen)
    assert sorted(task.settings.learning_rate for task in workers.started) == [0.1, 0.2]
    assert len(study.trials()) == 8
    assert {each.ended.value for each in study.trials()} == {0.1, 0.2}


def test_killed_trial_is_repeated_with_its_settings(
    settings: Search, caplog: pytest.LogCaptureFixture
) -> None:
    kills = {2: 1, 4: 9}

    def die(task: Task, epoch: int) -> Message | None:
        if epoch == 2 and kills.get(task.number, 0):
            kills[task.number] -= 1
            return Stopped("its process has ended with code 137", is_killed=True)
        return None

    study, workers = run(settings, script=die)
    assert [task.number for task in workers.started].count(2) == 2
    assert [task.number for task in workers.started].count(4) == 3
    ended = {each.number: each.ended for each in study.trials()}
    assert ended[2].state == "complete"
    assert ended[4] == Ended(state="failed", reason="its process has ended with code 137")
    # A failed one doesn't count.
    assert len(ended) == 9
    assert "trial 2 goes on: its process has ended with code 137" in caplog.text


def test_three_failures_in_a_row_end_a_search_which_can_go_on(settings: Search) -> None:
    def fail(task: Task, epoch: int) -> Message | None:
        is_bad = task.number in (1, 2, 4, 5, 6)
        return Ended(state="failed", reason="No room on the GPU.") if is_bad else None

    with pytest.raises(
        MeshError,
        match=r"^The last 3 trials have failed, trial 6 since: No room on the GPU; mend that, and",
    ):
        run(settings, script=fail)
    study, workers = run(settings)
    assert [task.number for task in workers.started] == list(range(7, 13))


def test_full_disk_ends_a_search_at_once_and_its_trial_is_repeated(settings: Search) -> None:
    def fill(task: Task, epoch: int) -> Message | None:
        return Stopped("The disk of x is full: make room there.") if task.number == 2 else None

    with pytest.raises(MeshError, match=r"^The disk of x is full: make room there\.$"):
        run(settings, script=fill)
    study, workers = run(settings)
    assert [task.number for task in workers.started] == list(range(2, 8))
    assert len(study.trials()) == 8


@pytest.mark.parametrize("bytes_written", [0, 20])
def test_full_disk_of_the_search_itself(
    settings: Search, monkeypatch: pytest.MonkeyPatch, bytes_written: int
) -> None:
    expected = tried(run(settings)[0])
    shutil.rmtree(settings.folder)
    append = JournalFileBackend.append_logs
    calls = 0

    def fill(self: JournalFileBackend, logs: list[dict[str, Any]]) -> None:
        nonlocal calls
        calls += 1
        if calls < 50:
            append(self, logs)
            return
        with Path(self._file_path).open("a") as file:
            file.write(json.dumps(logs[0])[:bytes_written])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(JournalFileBackend, "append_logs", fill)
        with pytest.raises(MeshError, match=r"is full: make room there, and search again"):
            run(settings)
    study, _ = run(settings)
    assert tried(study) == expected


@pytest.mark.parametrize(
    "damage", ["what?\n", '{"op_code":0}\n', "[]\n", '{"op_code":99,"worker_id":"x"}\n', "\n"]
)
def test_damaged_record_of_a_search_is_a_sentence(settings: Search, damage: str) -> None:
    run(replace(settings, trials=1))
    [file] = settings.folder.glob("*/trials.jsonl")
    file.write_text(f"{damage}{file.read_text()}")
    with pytest.raises(
        MeshError, match=r"trials\.jsonl, is damaged; without it, the search begins"
    ):
        run(settings)


def test_a_search_is_done_by_one_process(settings: Search, tmp_path: Path) -> None:
    def start_another(task: Task, epoch: int) -> Message | None:
        other = WorkspaceSettings(workspace=tmp_path / "elsewhere")
        with pytest.raises(MeshError, match="Another process does the same search in"):
            run(replace(settings, workspace=other))
        return None

    run(replace(settings, trials=1), script=start_another)


def test_progress_names_the_best(settings: Search, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(replace(settings, trials=1))
    assert "trial 0: learning_rate=0." in caplog.text
    assert "trial 0, epoch 4: validation/score 0." in caplog.text
    assert "trial 0 is the best so far" in caplog.text
