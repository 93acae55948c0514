"""A run is shown until it ends, whatever happens to single readings of its state."""

import io
import shlex
from collections.abc import Iterator

import pytest
from rich.console import Console

from pipelines import following
from pipelines.following import PollError, RunState, WatchingError, follow, watch_command

RUNNING = RunState(state="RUNNING", steps={"train": "RUNNING"}, done=False, succeeded=False)
ENDED = RunState(state="SUCCEEDED", steps={}, done=True, succeeded=True)
FAILED = RunState(state="FAILED", steps={}, done=True, succeeded=False, problem="[/opt] is gone")
COMMAND = "./pants run src/python/pipelines:run-kfp -- --target kubeflow --watch r1"


class Clock:
    """Passes as it is waited for, and by itself with each reading."""

    def __init__(self, step: float = 0) -> None:
        self.now = 0.0
        self.step = step

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def watch(states: Iterator[RunState | BaseException], clock: Clock) -> tuple[int, str]:
    console = Console(width=40, file=io.StringIO())

    def poll() -> RunState:
        state = next(states)
        if isinstance(state, BaseException):
            raise state
        return state

    try:
        code = follow("moods", poll, console, COMMAND, wait=clock.wait, clock=clock)
    except KeyboardInterrupt:
        code = 130
    return code, console.file.getvalue()  # type: ignore[attr-defined]


def some(number: int) -> list[RunState | BaseException]:
    return [PollError("HTTP 503")] * number


def test_passing_failures_are_told_once_and_do_not_end_it() -> None:
    most = following.MOST_FAILURES - 1
    states = [RUNNING, *some(most), RUNNING, *some(most), ENDED]
    code, shown = watch(iter(states), Clock())
    assert code == 0
    assert shown.count("can't be read now (HTTP 503); trying again") == 2
    assert shown.count("train: RUNNING") == 1


def test_failed_run_is_1_and_its_problem_is_printed_as_it_is() -> None:
    code, shown = watch(iter([FAILED]), Clock())
    assert (code, "[/opt] is gone" in shown) == (1, True)


@pytest.mark.parametrize(
    ("states", "clock", "seconds"),
    [
        ([RUNNING, *some(1000)], Clock(), 300),
        # Each reading takes two minutes.
        (some(1000), Clock(120), 600),
        ([RUNNING, PollError("HTTP 403", lasting=True)], Clock(), 10),
    ],
)
def test_watcher_gives_up_with_the_command_that_goes_on(
    states: list[RunState | BaseException], clock: Clock, seconds: float
) -> None:
    with pytest.raises(WatchingError, match="the run goes on") as ended:
        watch(iter(states), clock)
    assert ended.value.exit_code == 3
    assert str(ended.value).endswith(COMMAND)
    assert clock.now <= seconds


def test_interrupted_watcher_prints_the_command_in_one_line() -> None:
    code, shown = watch(iter([RUNNING, KeyboardInterrupt()]), Clock())
    assert code == 130
    assert f"moods goes on; to watch it again: {COMMAND}\n" in shown


def test_command_has_the_variables_that_it_needs() -> None:
    command = watch_command("kubeflow", "r1", {"KUBEFLOW_TOKEN_FILE": "/a b", "X": None})
    assert shlex.split(command) == ["KUBEFLOW_TOKEN_FILE=/a b", *shlex.split(COMMAND)]
