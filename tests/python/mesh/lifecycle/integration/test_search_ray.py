"""The program of a trial on a machine of a Ray cluster: what it leaves for its search."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from mesh.data.files import Location
from mesh.lifecycle.search import ray_jobs, trial_job
from mesh.lifecycle.search.mailbox import BEGUN, TASK, Mailbox
from mesh.lifecycle.search.messages import Ended, Epoch, Message, Stopped, Task
from mesh.lifecycle.training.settings import FineTuneSettings
from services.ray_jobs import run_command
from tiny_training import TINY, Tiny, write_recipe

PLACE = ".searches/tiny/trial"


class Machine:
    """Does the trial in the mailbox, in this process."""

    def __init__(self, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = FineTuneSettings(**tiny.settings(epochs=2))
        task = Task(
            number=4,
            project=TINY,
            settings=self.settings,
            workspace=tiny.workspace,
            data=tiny.data,
            registry=tiny.registry_settings,
            metric="validation/score",
            search="run",
            threads=1,
        )
        self.described = ray_jobs._describe(task)
        self.root = tiny.data.root
        self.mailbox = Mailbox(Location(self.root) / PLACE)
        for name in self.described["variables"]:
            # They are absent again after the test.
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        monkeypatch.setattr(sys, "argv", ["trial_job", self.root, PLACE])

    def run(self, *replies: bool) -> tuple[int, list[Message]]:
        """The exit code, and what was said."""
        self.mailbox.write(TASK, self.described)
        for number, reply in enumerate(replies, 1):
            self.mailbox.send_reply(number, reply)
        code = trial_job.main()
        return code, self.said()

    def said(self) -> list[Message]:
        """The messages in the mailbox."""
        count = len(self.mailbox.location.glob("message-*.json"))
        found = [self.mailbox.receive(number + 1) for number in range(count)]
        return [message for message in found if message is not None]


@pytest.fixture
def machine(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.syspath_prepend(tmp_path / "code")
    for name in [name for name in list(sys.modules) if name.partition(".")[0] == "tiny"]:
        monkeypatch.delitem(sys.modules, name)
    recipe = write_recipe(tmp_path / "code")
    recipe.with_name("project.py").write_text("from tiny_training import TINY as PROJECT\n")
    monkeypatch.setattr(trial_job, "configure_logging", lambda *_: logging.getLogger())
    monkeypatch.setattr(trial_job, "_SECONDS_BETWEEN_LOOKS", 0.0)
    return Machine(tiny, monkeypatch)


def test_trial_says_what_it_finds_and_keeps_its_network(machine: Machine, tiny: Any) -> None:
    code, said = machine.run(True, True, True)
    *epochs, ended = said
    assert code == 0
    assert [type(each) for each in epochs] == [Epoch, Epoch]
    assert [each.number for each in epochs if isinstance(each, Epoch)] == [1, 2]
    assert isinstance(ended, Ended)
    assert (ended.state, ended.epoch in (1, 2)) == ("complete", True)
    # This process's own workspace, since the machine names none.
    assert (tiny.output("checkpoints") / ended.network).is_dir()
    assert machine.mailbox.read(BEGUN) is True


def test_trial_that_is_pruned_removes_its_folder(machine: Machine, tiny: Any) -> None:
    code, said = machine.run(False)
    assert code == 0
    assert [type(each) for each in said] == [Epoch, Ended]
    assert isinstance(said[1], Ended)
    assert said[1].state == "pruned"
    assert not tiny.output("checkpoints").exists() or not list(tiny.output("checkpoints").iterdir())


def test_trial_waits_for_its_search_in_vain_and_can_be_resumed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_job, "_PATIENCE", 0.0)
    code, said = machine.run()
    assert code == 143
    assert [type(each) for each in said] == [Epoch]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"data": "0" * 64},
            "A machine of the Ray cluster has other code or data than the search: data;",
        ),
        ({"file mesh/gone.py": "0" * 64}, "than the search: file mesh/gone.py (gone);"),
    ],
)
def test_machine_with_other_code_or_data_ends_the_search(
    machine: Machine, change: dict[str, Any], expected: str
) -> None:
    machine.described["inputs"] |= change
    code, [said] = machine.run()
    assert code == 0
    assert isinstance(said, Stopped)
    assert expected in said.reason
    assert not said.is_killed


def test_machine_without_the_base_model_ends_the_search(machine: Machine) -> None:
    machine.described["settings"]["base_model"] = "nowhere"
    code, [said] = machine.run()
    assert isinstance(said, Stopped)
    assert said.reason.startswith(
        "A machine of the Ray cluster can't do trials: The base model now"
    )


def test_command_says_where_the_machine_has_no_data(machine: Machine, tmp_path: Path) -> None:
    command = ray_jobs._command(str(tmp_path / "else where"), PLACE)
    job = run_command({"entrypoint": command})
    assert (job["status"], job["driver_exit_code"]) == ("FAILED", 1)
    assert f"else where/{PLACE} has no task here: the data of the search must be" in job["message"]
