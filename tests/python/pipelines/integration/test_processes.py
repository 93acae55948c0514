"""Steps as processes, for a project that the test writes."""

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from mesh.core.project import CODE_ONLY_STEPS, DATA_STEPS, Project, source_root
from pipelines.outcome import announce, report
from pipelines.plan import Plan, make_plan
from pipelines.processes import run_as_processes
from pipelines.settings import ImageSettings, PipelineSettings

MOODS = Project(name="moods", description="", port=1, steps=DATA_STEPS)
PROJECT = """
from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project

PROJECT = Project(
    name="moods",
    description="",
    port=1,
    steps=(*DATA_STEPS, *TRAINED_STEPS),
    modules={
        "ingest:ingest": "moods.ingest.ingest",
        "register:register": "moods.register.register",
        "register:tag": "moods.register.tag",
        "train:train": "moods.train.train",
    },
)
"""
PROGRAM = """
import os
from pathlib import Path

from mesh.core.program import Program
from mesh.core.settings import MeshSettings


class Settings(MeshSettings):
    tag: str = ""


def run(settings):
    with Path("ran.txt").open("a") as file:
        print("{name}", settings.tag, os.environ["MOOD"], file=file)
    return {exit_code}


def program(project):
    return Program(component="moods.{component}", name="{name}", run=run, settings=(Settings,))
"""

LAUNCHER = """
import subprocess
import sys

*options, processes, dash, module, component, step = sys.argv[1:]
command = [dash, module, component, step]
assert options == ["--standalone", "--local-addr", "127.0.0.1"]
for _ in range(int(processes.removeprefix("--nproc-per-node="))):
    subprocess.run([sys.executable, *command], check=True)
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source tree of a project whose programs record their runs."""
    shutil.copytree(source_root() / "mesh/core", tmp_path / "mesh/core")
    monkeypatch.setattr("pipelines.processes.source_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moods").mkdir()
    (tmp_path / "moods/project.py").write_text(PROJECT)
    for component, name in (("ingest", "ingest"), ("register", "register"), ("register", "tag")):
        write(tmp_path, component, name, exit_code=0)
    return tmp_path


def write(tree: Path, component: str, name: str, exit_code: int) -> None:
    folder = tree / "moods" / component
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config/dev.env").touch()
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    source = PROGRAM.format(component=component, name=name, exit_code=exit_code)
    (folder / f"{name}.py").write_text(source)


def plan() -> Plan:
    settings = PipelineSettings(
        project="moods", run_containers=[1, 2, 3], tag="dataset_v22", variables={"MOOD": "calm"}
    )
    return make_plan(MOODS, settings, ImageSettings())


def run(console: Console) -> int:
    made = plan()
    return report(made, run_as_processes(made, announce(made, console)), console)


def test_steps_run_in_order_with_flags_and_variables(tree: Path) -> None:
    console = Console(record=True, width=100)
    assert run(console) == 0
    assert (tree / "ran.txt").read_text().splitlines() == [
        "ingest  calm",
        "register  calm",
        "tag dataset_v22 calm",
    ]
    shown = console.export_text()
    assert "moods 3/3 register:tag" in shown
    assert "moods-ingest-to-tag is done." in shown


def test_failing_step_is_the_last_and_gives_its_exit_code(tree: Path) -> None:
    write(tree, "register", "register", exit_code=3)
    console = Console(record=True, width=100)
    assert run(console) == 3
    assert (tree / "ran.txt").read_text().splitlines() == ["ingest  calm", "register  calm"]
    assert "stopped at register:register (exit code 3)" in console.export_text()


def test_step_that_may_fail_for_a_reason_outside_is_repeated(tree: Path) -> None:
    write(tree, "ingest", "ingest", exit_code=1)
    assert run(Console(quiet=True)) == 1
    assert (tree / "ran.txt").read_text().splitlines() == ["ingest  calm"] * 3


def test_pants_starts_a_backfill_in_the_environment_of_its_own_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pants = tmp_path / "pants"
    pants.write_text('#!/bin/sh\necho "$BACKFILL_INPUT ${PYTHONPATH-} $*" >"$0.told"\nexit 7\n')
    pants.chmod(0o755)
    monkeypatch.setattr("mesh.core.pants.source_root", lambda: tmp_path / "src/python")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    project = Project(name="a-mood", description="", port=1, steps=CODE_ONLY_STEPS)
    settings = PipelineSettings(run_containers=[8], variables={"BACKFILL_INPUT": "x.csv"})
    outcomes = run_as_processes(make_plan(project, settings, ImageSettings()), lambda name: None)
    # It goes on where it ended, so it is repeated.
    assert [outcome.exit_code for outcome in outcomes] == [7] * 4
    told = Path(f"{pants}.told").read_text().split()
    assert told == ["x.csv", "run", "src/python/a_mood/backfill:backfill", "--"]


def test_several_gpus_have_a_process_each(tree: Path) -> None:
    """Torchrun itself is not among these packages; a stand-in tells what it is to start."""
    launcher = tree / "torch/distributed/run.py"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(LAUNCHER)
    write(tree, "train", "train", exit_code=0)
    settings = PipelineSettings(
        project="moods", run_containers=[4], gpus=2, variables={"MOOD": "calm"}
    )
    project = Project(name="moods", description="", port=1)
    made = make_plan(project, settings, ImageSettings())
    assert [one.exit_code for one in run_as_processes(made, lambda name: None)] == [0]
    assert (tree / "ran.txt").read_text().splitlines() == ["train  calm"] * 2


def test_plan_survives_its_file(tmp_path: Path) -> None:
    made = plan()
    (tmp_path / "plan.json").write_text(made.model_dump_json())
    assert Plan.model_validate_json((tmp_path / "plan.json").read_text()) == made
