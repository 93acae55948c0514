"""Runs the steps of a plan as processes, without containers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mesh.core.environment import IMAGE_VARIABLE
from mesh.core.pants import pants_run
from mesh.core.process import exit_code_of
from mesh.core.project import source_root
from mesh.core.steps import BACKFILL
from pipelines.outcome import Outcome
from pipelines.plan import Plan, PlannedStep

_STOP_SECONDS = 30


def run_as_processes(plan: Plan, started: Callable[[str], None]) -> list[Outcome]:
    """Run the steps with this process's Python and packages, up to the first failing one.

    Pants starts a backfill, which has packages of its own.

    The commands are those of the containers, from the entry point on. Limits aren't enforced.
    """
    outcomes: list[Outcome] = []
    for step in plan.steps:
        for _ in range(step.retries + 1):
            started(step.name)
            begun = time.monotonic()
            exit_code = _run(step)
            outcomes.append(Outcome(step.name, exit_code, time.monotonic() - begun))
            if not exit_code:
                break
        if outcomes[-1].exit_code:
            break
    return outcomes


def run_process(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> int:
    """Run a command; return its exit code.

    If this process is stopped meanwhile, it stops the command and waits for its end.
    """
    process = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return exit_code_of(code)


def _run(step: PlannedStep) -> int:
    own = {name: value for name, value in step.environment.items() if name != IMAGE_VARIABLE}
    if step.program == BACKFILL:
        return _run_backfill(step, own)
    # The packages of this process, which may differ from those of its interpreter.
    paths = [str(source_root()), *(path for path in sys.path if path)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    words = [sys.executable, *step.python_arguments, *step.arguments]
    return run_process(words, environment | own)


def _run_backfill(step: PlannedStep, own: Mapping[str, str]) -> int:
    """Run the step whose packages this process doesn't have."""
    package = step.component.partition(".")[0]
    command = pants_run(f"src/python/{package}/{step.program}", step.arguments[1:])
    return run_process(command.words, {**command.environment, **own}, command.folder)
