"""How the steps of a run ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from mesh.core.tables import make_table
from pipelines.plan import Plan


@dataclass(frozen=True)
class Outcome:
    """How one attempt of a step ended; 0 is success."""

    name: str
    exit_code: int
    seconds: float


def report(plan: Plan, outcomes: Sequence[Outcome], console: Console) -> int:
    """Show the outcome of every step.

    Returns:
        The pipeline's exit code: that of the step that failed, or 0.
    """
    table = make_table("step", "exit code", "seconds")
    last = {outcome.name: outcome for outcome in outcomes}
    failed = ""
    exit_code = 0
    for step in plan.steps:
        outcome = last.get(step.name)
        if outcome is None:
            table.add_row(step.program, "not run", "")
            continue
        table.add_row(step.program, str(outcome.exit_code), f"{outcome.seconds:.1f}")
        if outcome.exit_code:
            failed, exit_code = step.program, outcome.exit_code
    console.print(table)
    if failed:
        console.print(f"{plan.name} stopped at {failed} (exit code {exit_code}).", highlight=False)
    else:
        console.print(f"{plan.name} is done.", highlight=False)
    return exit_code


def announce(plan: Plan, console: Console) -> Callable[[str], None]:
    """A function that shows that the step with a name has started."""
    numbers = {step.name: number for number, step in enumerate(plan.steps, start=1)}

    def started(name: str) -> None:
        program = plan.steps[numbers[name] - 1].program
        console.print(
            f"[bold]{plan.project} {numbers[name]}/{len(numbers)} {program}[/bold]", highlight=False
        )

    return started
