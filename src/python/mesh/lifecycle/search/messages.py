"""What a trial and its search tell each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.settings import RegistrySettings

SCORE = "validation/score"
METRICS: Mapping[str, tuple[str, Literal["maximize", "minimize"]]] = {
    SCORE: ("eval_score", "maximize"),
    "validation/loss": ("eval_loss", "minimize"),
}
"""By the name of a figure, its name among those of an epoch, and what is better.

The test split and the sets that are held out tell nothing new about a model that was chosen by them.
"""

State = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A trial's training.

    Args:
        number: of the trial.
        metric: the figure by which trials are compared.
        search: the id of the search's run; empty without one.
        threads: of computation; 0 doesn't limit them.
    """

    number: int
    project: Project
    settings: FineTuneSettings
    workspace: WorkspaceSettings
    data: DataSettings
    registry: RegistrySettings
    metric: str
    search: str
    threads: int


@dataclass(frozen=True)
class Epoch:
    """The value of a trial after an epoch; the reply says whether the trial goes on.

    Args:
        number: from 1.
    """

    number: int
    value: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a trial has ended; the reply to a complete one says whether its network is kept.

    Args:
        value: of the best epoch.
        epoch: the number of that one.
        network: the folder's name among the workspace's checkpoints.
        run: the id of its run; empty without one.
        reason: why it has failed.
    """

    state: State
    value: float | None = None
    epoch: int = 0
    network: str = ""
    run: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Stopped:
    """A trial can't go on here; it isn't to blame.

    Args:
        is_killed: whether its process was killed, rather than a reason given.
    """

    reason: str
    is_killed: bool = False


Message = Epoch | Ended | Stopped
Ask = Callable[[Epoch | Ended], bool]
"""Sends a message to the search, and returns the reply."""
