import json
from collections.abc import Callable

import pytest

from mesh.cli import status as command
from mesh.cli.mesh import main
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date

PROJECT = Project(name="tiny", description="x", port=1, steps=DATA_STEPS + TRAINED_STEPS)
RESULTS = [step for step in PROJECT.steps if step != "serve:serve"]


Give = Callable[[dict[str, Status | MeshError]], None]


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Sets the states of a project's steps; by default up to date, and none for the server."""

    def give(states: dict[str, Status | MeshError]) -> None:
        def find(_project: Project, step: str) -> Program:
            def tell() -> Status:
                state = states.get(step, up_to_date("v1"))
                if isinstance(state, MeshError):
                    raise state
                return state

            known = None if step == "serve:serve" else tell
            return Program(
                component="mesh.cli", name="x", run=lambda: None, settings=(), status=known
            )

        monkeypatch.setattr(command, "find_program", find)
        monkeypatch.setattr(command, "get_project", lambda _name: PROJECT)
        monkeypatch.setattr(command, "find_projects", lambda: [PROJECT])

    return give


def read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and the state and reasons of each step."""
    monkeypatch.setattr("sys.argv", ["mesh", "status", *arguments, "--json"])
    code = main()
    rows = json.loads(capsys.readouterr().out)
    assert {row["project"] for row in rows} == {"tiny"}
    return code, {row["step"]: (row["state"], ", ".join(row["because"])) for row in rows}


def test_every_step_with_a_result_is_told(
    project: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project({})
    for arguments in ((), ("tiny",)):
        code, states = read(capsys, monkeypatch, *arguments)
        assert code == 0
        assert states == {step: ("up to date", "") for step in RESULTS}


def test_steps_after_one_that_is_out_of_date_get_other_inputs(
    project: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project(
        {
            "register:register": out_of_date("v1", ["setting seed (1 -> 2)"]),
            "compile:trace": out_of_date("v1", ["file mesh/compile/spec.py"]),
            "serve:load": NEVER_RUN,
        }
    )
    code, states = read(capsys, monkeypatch)
    assert code == 0
    assert states["ingest:ingest"] == ("up to date", "")
    assert states["register:register"] == ("out of date", "setting seed (1 -> 2)")
    assert states["train:train"] == ("out of date", "data (register:register is out of date)")
    assert states["compile:trace"] == ("out of date", "file mesh/compile/spec.py")
    assert states["serve:download"] == (
        "out of date",
        "compiled model (compile:trace is out of date)",
    )
    assert states["serve:load"] == ("never run", "")


def test_unknown_state_is_a_sentence_and_a_failure(
    project: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project({"train:train": MeshError("The registry x can't be reached.")})
    code, states = read(capsys, monkeypatch)
    assert code == 1
    assert states["train:train"] == ("unknown", "The registry x can't be reached.")
    assert states["compile:trace"] == ("up to date", "")


def test_reason_of_many_steps_is_printed_once(
    project: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "The registry x can't be reached."
    project({step: MeshError(sentence) for step in ("train:train", "compile:trace")})
    monkeypatch.setattr("sys.argv", ["mesh", "status"])
    assert main() == 1
    shown = capsys.readouterr()
    assert shown.err == f"error: {sentence}\n"
    assert sentence not in shown.out


def test_table_names_a_few_inputs(
    project: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project({"train:train": out_of_date("v7", [f"file {name}.py" for name in "abcde"])})
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.argv", ["mesh", "status"])
    assert main() == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "train:train " in line][:1]
    assert "v7" in line
    assert "file a.py, file b.py, file c.py, 2 more" in line
