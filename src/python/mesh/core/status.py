"""Whether a step's result is what the step would make now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["up to date", "out of date", "never run", "unknown"]


@dataclass(frozen=True)
class Status:
    """The state of a step.

    Args:
        result: the name of the newest result, such as `KEYWORDS-TRAINED-3`.
        because: the inputs that differ, or why the state is unknown.
    """

    state: State
    result: str = ""
    because: tuple[str, ...] = ()


NEVER_RUN = Status("never run")


def up_to_date(result: str) -> Status:
    """There is nothing to do."""
    return Status("up to date", result)


def out_of_date(result: str, because: Sequence[str]) -> Status:
    """The step would make another result."""
    return Status("out of date", result, tuple(because))
