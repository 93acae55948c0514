"""Runs the steps of a plan as processes, without containers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from mesh.core.discovery import source_root
from mesh.core.environment import IMAGE_VARIABLE
from pipelines.outcome import Outcome
from pipelines.plan import Plan
from pipelines.plan import PlannedStep

_STOP_SECONDS = 30


def run_as_processes(plan: Plan, started: Callable[[str], None]) -> list[Outcome]:
    """Run each step with this process' Python and packages; a failing step is the last.

    The commands are those of the containers from the entry point on. Limits are not enforced.
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


def _run(step: PlannedStep) -> int:
    environment = {
        name: value for name, value in step.environment.items() if name != IMAGE_VARIABLE
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "mesh.core.container", step.component, *step.arguments],
        env={**os.environ, "PYTHONPATH": str(source_root()), **environment},
    )
    try:
        code = process.wait()
        # As shells do for what a signal ended.
        return code if code >= 0 else 128 - code
    except BaseException:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
