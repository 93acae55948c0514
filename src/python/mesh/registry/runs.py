"""Runs: the records of trainings, which people watch and compare, in the registry's own server.

A run belongs to a project's experiment. Nothing depends on runs: a version's card says all that the
mesh itself needs to know.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from mesh.core.errors import MeshError

State = Literal["running", "finished", "failed", "interrupted", "pruned", "lost"]
"""A `pruned` one was ended by its search, since others do better. A `lost` run said that it was
running, and then nothing for minutes."""


@dataclass(frozen=True)
class Figure:
    """One number of a run.

    Args:
        name: such as `train/loss`; those that begin with `system/` are about the machine.
        step: of the training, from 0.
        time: milliseconds since 1970, in UTC.
    """

    name: str
    value: float
    step: int
    time: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training, from its start.

    Args:
        id: 32 hexadecimal digits.
        name: for people.
        parameters: what decided the training.
        figures: the last value of each.
        tags: revision of the code, version of the data, registered version and the like.
    """

    id: str
    name: str
    state: State
    started: datetime.datetime
    ended: datetime.datetime | None
    parameters: Mapping[str, str]
    figures: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def version(self) -> str:
        """The registered version, such as `NER-TRAINED-3`; empty without one."""
        return self.tags.get(VERSION_TAG, "")

    @property
    def parent(self) -> str:
        """The id of the search that a trial belongs to; empty for other runs."""
        return self.tags.get(PARENT_TAG, "")


LATEST_RUN = "latest"
VERSION_TAG = "mesh.version"
ERROR_TAG = "mesh.error"
DATA_TAG = "mesh.data_version"
REVISION_TAG = "mlflow.source.git.commit"
PARENT_TAG = "mlflow.parentRunId"
"""MLflow's own names, by which its pages show revisions, and trials under their search."""
_UNNAMED = re.compile(r"[^\w.\- :]")
"""What labels may have, and MLflow's names of figures may not."""
_LONGEST_NAME = 250


class Runs(Protocol):
    """The runs of a registry; every method raises a `MeshError` if it can't be reached or written."""

    def start(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        started: int,
    ) -> str:
        """Start a run of an experiment, which is made if it doesn't exist; return the run's id.

        Args:
            started: milliseconds since 1970, in UTC.
        """

    def resume(self, run_id: str) -> bool:
        """Say that an interrupted run goes on; false if it no longer exists."""

    def record(self, run_id: str, figures: Sequence[Figure]) -> None:
        """Add figures; those that are there already stay."""

    def attach(self, run_id: str, files: Sequence[Path], folder: str) -> None:
        """Add files to a folder of a run."""

    def link(self, run_id: str, reference: str) -> None:
        """Say which version a run has made; the version says so, too."""

    def end(self, run_id: str, state: State, tags: Mapping[str, str]) -> None:
        """Say how a run has ended, and add tags."""

    def list(self, experiment: str) -> Sequence[Run]:
        """The runs of an experiment, newest first."""

    def history(self, run_id: str, name: str) -> Sequence[Figure]:
        """All values of a figure by step, the last one of each."""

    def machine(self) -> Mapping[str, float]:
        """Figures of this machine now: `system/...`."""


def find_run(runs: Sequence[Run], text: str) -> Run:
    """A run by the start of its id, by the version that it made, or the `latest`.

    Raises:
        MeshError: there is none, or several.
    """
    if text == LATEST_RUN:
        found = list(runs[:1])
    else:
        found = [run for run in runs if run.version == text] or [
            run for run in runs if text and run.id.startswith(text)
        ]
    if len(found) != 1:
        known = ", ".join(f"{run.id[:8]} ({run.version or run.state})" for run in runs[:5])
        raise MeshError(
            f"{len(found) or 'No'} runs are {text!r}: use the start of a run's id, or the version "
            f"that it made; the newest are {known or 'none'}."
        )
    return found[0]


def flat_figures(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a card, by the path to each: `test/per_label/PER/f1`; without those in lists."""
    found: dict[str, float] = {}
    for name, value in metrics.items():
        path = prefix + (_UNNAMED.sub("_", name).strip(".") or "_")
        if isinstance(value, Mapping):
            found |= flat_figures(value, f"{path}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[path[:_LONGEST_NAME]] = float(value)
    return found
