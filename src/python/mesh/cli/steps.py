"""Run the steps of a project's life cycle one after another."""

import contextlib
import itertools
import time
from collections.abc import Collection, Sequence

from rich.console import Console

from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError, UsageError
from mesh.core.program import component_folder
from mesh.core.project import Project
from mesh.core.settings import load_settings
from mesh.core.steps import find_program
from mesh.core.tables import make_table
from mesh.core.tracing import program_span
from mesh.core.workspace import WorkspaceSettings
from mesh.core.workspace_lock import locked

SERVE = "serve:serve"


def select_steps(project: Project, first: str | None, last: str | None) -> list[str]:
    """The steps from one to another, both included, before the server.

    Args:
        first: a step (`compile:trace`), a program of one component only (`trace`), or a component
            (its first step).
        last: the same; for a component, its last step.

    Raises:
        UsageError: a name fits no step or several, or the order is wrong.
    """
    steps = list(itertools.takewhile(lambda step: step != SERVE, project.steps))
    if not steps:
        return []
    start = _positions(steps, first)[0] if first else 0
    end = _positions(steps, last)[-1] if last else len(steps) - 1
    if start > end:
        raise UsageError(f"{first} comes after {last}; the steps are {', '.join(steps)}.")
    return steps[start : end + 1]


def _positions(steps: Sequence[str], name: str) -> list[int]:
    exact = [index for index, step in enumerate(steps) if step == name]
    component = [index for index, step in enumerate(steps) if step.partition(":")[0] == name]
    if exact or component:
        return exact or component
    found = [index for index, step in enumerate(steps) if step.partition(":")[2] == name]
    if len(found) == 1:
        return found
    problem = "fits several steps" if found else "isn't a step"
    raise UsageError(f"{name!r} {problem}; the steps are {', '.join(steps)}.")


def run_steps(project: Project, steps: Sequence[str], *, force: bool, console: Console) -> None:
    """Run steps in this process, each with its own settings, and show how long each took.

    No other process works on the project's outputs from the first step to the last.

    Raises:
        MeshError: a step failed; it has printed the reason.
    """
    with contextlib.ExitStack() as stack:
        if steps:
            name = f"mesh run {project.name}"
            stack.enter_context(program_span(name, {"mesh.project": project.name}))
        for workspace in _workspaces(project, steps):
            stack.enter_context(locked(workspace, project, f"a run of {project.name}"))
        _run_steps(project, steps, force=force, console=console)


def _workspaces(project: Project, steps: Sequence[str]) -> Collection[WorkspaceSettings]:
    """The workspaces of steps, which is one unless a component's env file names another."""
    found = {}
    for step in steps:
        program = find_program(project, step)
        if WorkspaceSettings in program.settings:
            (settings,) = load_settings(
                [WorkspaceSettings],
                env_file=find_env_file(component_folder(program.component)),
                complete=False,
            )
            found[str(settings.workspace.absolute())] = settings
    # Whoever needs several takes them in the same order.
    return [found[path] for path in sorted(found)]


def _run_steps(project: Project, steps: Sequence[str], *, force: bool, console: Console) -> None:
    table = make_table("step", "seconds")
    for number, step in enumerate(steps, start=1):
        console.print(f"[bold]{project.name} {number}/{len(steps)} {step}[/bold]", highlight=False)
        started = time.monotonic()
        program = find_program(project, step)
        forced = force and "force" in program.settings[0].model_fields
        if exit_code := program.main(["--force"] if forced else []):
            raise StepFailedError(
                f"{project.name} stopped at {step} (exit code {exit_code}).", exit_code
            )
        table.add_row(step, f"{time.monotonic() - started:.1f}")
    if steps:
        console.print(table)


class StepFailedError(MeshError):
    """A step ended with an exit code other than 0; the command ends with the same code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
