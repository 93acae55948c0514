"""Run the steps of a plan as processes.

This part of run-kfp needs the packages of the models, and not kfp's.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from rich.console import Console

from mesh.core.files import read_model
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from pipelines.outcome import announce, report
from pipelines.plan import Plan
from pipelines.processes import run_as_processes


class RunStepsSettings(MeshSettings):
    """Run the steps of a plan as processes."""

    model_config = SettingsConfigDict(env_prefix="RUN_STEPS_")

    plan: Path = Field(description="The plan that run-kfp wrote, plan.json.")


def run_steps(settings: RunStepsSettings) -> int:
    """Run the plan; return its exit code."""
    plan = read_model(Plan, settings.plan, "let run-kfp write it again")
    console = Console(stderr=True)
    return report(plan, run_as_processes(plan, announce(plan, console)), console)


main = Program(component="pipelines", name="run-steps", run=run_steps, settings=(RunStepsSettings,))

if __name__ == "__main__":
    main()
