"""The trials of a search, in a file, by Optuna."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from mesh.core.errors import MeshError
from mesh.lifecycle.search.messages import Ended, State
from mesh.lifecycle.search.space import Space

_FILE = "trials.jsonl"
_NAME = "search"
_ENDED = "ended"
_KEPT = ("epoch", "network", "run", "reason")
"""What is kept of an end beside what Optuna knows itself, in the attribute `ended`."""
_STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
_FIRST_PRUNED_EPOCH = 2
"""The first one tells too little."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial that has ended.

    Args:
        number: from 0, in the order of their starts.
        parameters: its values of the space's settings.
    """

    number: int
    parameters: dict[str, Any]
    ended: Ended


class Study:
    """The trials of a search in a folder, those of earlier processes included.

    Args:
        seed: with it and its number, a trial's settings are chosen, whoever starts it.
    """

    def __init__(self, folder: Path, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            study_name=_NAME,
            storage=_open(folder / _FILE),
            direction="maximize" if space.is_maximized else "minimize",
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=_FIRST_PRUNED_EPOCH),
            load_if_exists=True,
        )

    def unfinished(self) -> list[optuna.Trial]:
        """The trials whose process, or whose search, was ended before them."""
        found = []
        for each in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if each.params.keys() == self._space.distributions.keys():
                found.append(optuna.Trial(self._study, each._trial_id))
            else:
                self._study.tell(each.number, state=TrialState.FAIL)
        return found

    def ask(self) -> optuna.Trial:
        """A new trial, with values of the space's settings.

        A search that was interrupted goes on as if it hadn't been: what is chosen for a trial depends
        on its number, and on those that have ended.
        """
        number = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = optuna.samplers.TPESampler(seed=self._seed + number)
        return self._study.ask(dict(self._space.distributions))

    def goes_on(self, trial: optuna.Trial, epoch: int, value: float) -> bool:
        """Whether a trial goes on after an epoch: its best value isn't below the others' median."""
        with warnings.catch_warnings():
            # A trial that was killed repeats epochs.
            warnings.simplefilter("ignore", UserWarning)
            trial.report(value, epoch)
        return not trial.should_prune()

    def is_best(self, value: float) -> bool:
        """Whether no trial has a better value."""
        best = self.best()
        if best is None or best.ended.value is None:
            return True
        return value > best.ended.value if self._space.is_maximized else value < best.ended.value

    def end(self, trial: optuna.Trial, ended: Ended) -> None:
        """Keep how a trial has ended."""
        trial.set_user_attr(_ENDED, {name: getattr(ended, name) for name in _KEPT})
        state = next(state for state, name in _STATES.items() if name == ended.state)
        value = ended.value if ended.state == "complete" else None
        self._study.tell(trial, value, state)

    def trials(self) -> Sequence[Trial]:
        """All that have ended, the best first; those that were pruned, and failed ones, at the end."""
        found = self._study.get_trials(deepcopy=False, states=tuple(_STATES))
        return [_read(each) for each in sorted(found, key=self._rank)]

    def best(self) -> Trial | None:
        """The best of the trials that were not pruned and have not failed."""
        first = next(iter(self.trials()), None)
        return first if first and first.ended.state == "complete" else None

    def _rank(self, trial: FrozenTrial) -> tuple[int, float, int]:
        value = trial.value if trial.state == TrialState.COMPLETE and trial.value is not None else 0
        order = tuple(_STATES).index(trial.state)
        return order, -value if self._space.is_maximized else value, trial.number


def _open(file: Path) -> JournalStorage:
    """The records in a file of which this process is the only user.

    A process that was killed may have left the half of a record, and a lock.

    Raises:
        MeshError: the file is damaged.
    """
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    file.touch()
    content = file.read_bytes()
    os.truncate(file, content.rfind(b"\n") + 1)
    try:
        return JournalStorage(JournalFileBackend(str(file)))
    except (ValueError, LookupError, TypeError, AssertionError, OptunaError) as error:
        raise MeshError(
            f"The record of the search, {file}, is damaged; without it, the search begins anew."
        ) from error


def _read(trial: FrozenTrial) -> Trial:
    kept = trial.user_attrs.get(_ENDED, {})
    state, value = _STATES[trial.state], trial.value
    return Trial(
        number=trial.number,
        parameters=dict(trial.params),
        ended=Ended(state=state, value=value, **kept),
    )
