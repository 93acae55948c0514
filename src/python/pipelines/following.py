"""Shows the changes of a run on a server until it ends."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console

POLL_SECONDS = 10.0


@dataclass(frozen=True)
class RunState:
    """A run as its server sees it.

    Args:
        state: in the server's words, such as `RUNNING`.
        steps: the same for each step that has started.
        done: whether it has ended.
        succeeded: whether it ended successfully.
        problem: the server's explanation of a failure.
    """

    state: str
    steps: Mapping[str, str]
    done: bool
    succeeded: bool
    problem: str = ""


def follow(
    name: str,
    poll: Callable[[], RunState],
    console: Console,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Print each change until the run ends; return 0 if it succeeded, else 1."""
    shown: dict[str, str] = {}
    while True:
        run = poll()
        for step, state in {**run.steps, name: run.state}.items():
            if shown.get(step) != state:
                shown[step] = state
                console.print(f"{step}: {state}", highlight=False)
        if run.done:
            break
        wait(POLL_SECONDS)
    if run.problem:
        console.print(run.problem, highlight=False)
    return 0 if run.succeeded else 1
