import io
from pathlib import Path

import pytest
from rich.console import Console

from mesh.cli.steps import StepFailedError, run_steps, select_steps
from mesh.core.errors import UsageError
from mesh.core.project import CODE_ONLY_STEPS, TRAINED_STEPS, Project
from mesh.core.steps import find_program
from mesh.core.tracing import tracing
from trace_collector import collecting

PROJECT = Project(name="keywords", description="", port=1)
PROGRAM = """
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

class Settings(MeshSettings):
    force: bool = False

def run(settings):
    with open({log!r}, "a") as file:
        print({step!r}, settings.force, file=file)
    return {exit_code}

def program(project):
    return Program(component="{package}.{component}", name="{name}", run=run, settings=(Settings,))
"""


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, TRAINED_STEPS[:6]),
        ("compile:trace", None, TRAINED_STEPS[2:6]),
        ("trace", "upload", ("compile:trace", "compile:validate", "compile:upload")),
        ("compile", "compile", TRAINED_STEPS[1:5]),
        (None, "train", ("train:train",)),
        ("serve", None, ("serve:download",)),
    ],
)
def test_steps_are_named_in_full_by_program_or_by_component(
    first: str | None, last: str | None, expected: tuple[str, ...]
) -> None:
    assert select_steps(PROJECT, first, last) == list(expected)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("download", None, "'download' fits several steps"),
        ("tracing", None, "'tracing' isn't a step"),
        (None, "serve:serve", "isn't a step"),
        ("upload", "trace", "upload comes after trace"),
    ],
)
def test_wrong_steps_are_a_sentence_with_the_right_ones(
    first: str | None, last: str | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        select_steps(PROJECT, first, last)
    assert "compile:trace" in str(caught.value)


def test_code_only_project_has_no_step_before_the_server() -> None:
    project = Project(name="lsh", description="", port=1, kind="code-only", steps=CODE_ONLY_STEPS)
    assert select_steps(project, None, None) == []


def make_project(root: Path, name: str, exit_codes: dict[str, int]) -> tuple[Project, Path]:
    log = root / "log"
    for step, exit_code in exit_codes.items():
        component, _, program = step.partition(":")
        folder = root / name / component
        folder.mkdir(parents=True, exist_ok=True)
        (root / name / "__init__.py").touch()
        (folder / "__init__.py").touch()
        values = {"log": str(log), "step": step, "exit_code": exit_code, "package": name}
        (folder / f"{program}.py").write_text(
            PROGRAM.format(**values, component=component, name=program)
        )
    modules = {step: f"{name}.{step.replace(':', '.')}" for step in exit_codes}
    project = Project(name=name, description="", port=1, steps=tuple(exit_codes), modules=modules)
    return project, log


def test_steps_run_in_order_and_take_force_as_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    project, log = make_project(tmp_path, "orderly", {"train:train": 0, "compile:trace": 0})
    run_steps(project, project.steps, force=True, console=Console(file=io.StringIO()))
    assert log.read_text() == "train:train True\ncompile:trace True\n"


def test_failing_step_stops_the_run_with_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    project, log = make_project(tmp_path, "failing", {"a:one": 0, "b:two": 2, "c:three": 0})
    with pytest.raises(StepFailedError, match="failing stopped at b:two") as caught:
        run_steps(project, project.steps, force=False, console=Console(file=io.StringIO()))
    assert caught.value.exit_code == 2
    assert log.read_text() == "a:one False\nb:two False\n"


def test_a_run_is_one_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    project, _ = make_project(tmp_path, "traced", {"a:one": 0, "b:two": 2})
    with collecting() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        with tracing("mesh-cli"), pytest.raises(StepFailedError):
            run_steps(project, project.steps, force=False, console=Console(file=io.StringIO()))
    run, one, two = collector.wait_for("mesh run traced", "traced.a:one", "traced.b:two")
    assert {span.trace for span in collector.spans} == {run.trace}
    assert (one.parent, two.parent) == (run.id, run.id)
    assert one.attributes == {"mesh.project": "traced", "mesh.step": "a:one"}
    assert two.attributes["process.exit.code"] == 2
    assert (one.failed, two.failed, run.failed) == (False, True, True)


LOCKED_PROGRAM = """
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings

class Settings(MeshSettings):
    pass

def run(settings, workspace):
    with open({log!r}, "a") as file:
        print((workspace.workspace / "outputs/held/.lock").read_text(), file=file)

def program(project):
    return Program(
        component="held.train", name="train", run=run, settings=(Settings, WorkspaceSettings)
    )
"""


def test_a_step_holds_the_lock_of_its_workspace_and_a_run_holds_it_for_all_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path / "space"))
    project, log = make_project(tmp_path, "held", {"train:train": 0, "train:again": 0})
    for name in ("train", "again"):
        program = tmp_path / "held/train" / f"{name}.py"
        program.write_text(LOCKED_PROGRAM.format(log=str(log)))
    assert find_program(project, "train:train").main([]) == 0
    run_steps(project, project.steps, force=False, console=Console(file=io.StringIO()))
    holders = [line.partition(" (process ")[0] for line in log.read_text().splitlines()]
    assert holders == ["held.train:train", "a run of held", "a run of held"]
