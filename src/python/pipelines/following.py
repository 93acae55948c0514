"""Shows the changes of a run on a server until it ends."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from mesh.core.errors import UNDECIDED, MeshError

POLL_SECONDS = 10.0
PATIENCE_SECONDS = 300.0
MOST_FAILURES = 30
"""How often in a row the state of a run can't be read before watching ends."""

_COMMAND = ("./pants", "run", "src/python/pipelines:run-kfp", "--")


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


class PollError(Exception):
    """The state of a run can't be read.

    Args:
        reason: what happened.
        lasting: whether another attempt would fail too.
    """

    def __init__(self, reason: object, *, lasting: bool = False) -> None:
        super().__init__(" ".join(str(reason).split()).rstrip("."))
        self.lasting = lasting


class WatchingError(MeshError):
    """Watching ended while the run goes on; programs exit with 3."""

    exit_code = UNDECIDED


def watch_command(target: str, run: str, variables: Mapping[str, object]) -> str:
    """The command that shows a run until it ends.

    Args:
        variables: those that it needs; without values they are left out.
    """
    given = (f"{name}={shlex.quote(str(value))}" for name, value in variables.items() if value)
    return " ".join((*given, *_COMMAND, "--target", target, "--watch", shlex.quote(run)))


def say(console: Console, text: str) -> None:
    """Print a line as it is, however long."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def follow(
    name: str,
    poll: Callable[[], RunState],
    console: Console,
    command: str,
    *,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Print each change until the run ends; return 0 if it succeeded, else 1.

    Args:
        poll: raises `PollError` if it can't read the state; it is called again, for as long as
            the constants of this module say.
        command: shows the run again; printed if this is interrupted.

    Raises:
        WatchingError: the state can't be read.
    """
    try:
        run = _last_state(name, poll, console, command, wait, clock)
    except KeyboardInterrupt:
        say(console, f"{name} goes on; to watch it again: {command}")
        raise
    if run.problem:
        say(console, run.problem)
    return 0 if run.succeeded else 1


def _last_state(
    name: str,
    poll: Callable[[], RunState],
    console: Console,
    command: str,
    wait: Callable[[float], None],
    clock: Callable[[], float],
) -> RunState:
    shown: dict[str, str] = {}
    failures: list[float] = []
    while True:
        try:
            run = poll()
        except PollError as error:
            failures.append(clock())
            if error.lasting or _too_many(failures):
                raise WatchingError(
                    f"The state of {name} can't be read ({error}). Watching ended, the run goes "
                    f"on; to watch it again: {command}"
                ) from error
            if len(failures) == 1:
                say(console, f"the state of {name} can't be read now ({error}); trying again")
        else:
            failures.clear()
            for step, state in {**run.steps, name: run.state}.items():
                if shown.get(step) != state:
                    shown[step] = state
                    say(console, f"{step}: {state}")
            if run.done:
                return run
        wait(POLL_SECONDS)


def _too_many(failures: Sequence[float]) -> bool:
    """Whether watching ends after failures in a row at these times, in seconds."""
    return len(failures) >= MOST_FAILURES or failures[-1] - failures[0] >= PATIENCE_SECONDS
