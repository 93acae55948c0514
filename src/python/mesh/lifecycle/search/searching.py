"""A search: trials one after another, or several at once, until there are enough of them."""

import logging
import os
import shutil
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mesh.core.digest import fingerprint
from mesh.core.disk import full_disk_errors
from mesh.core.errors import MeshError, as_clause
from mesh.core.locks import alone
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.core.workspace_lock import locked
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.search.messages import Ended, Epoch, Message, Stopped, Task
from mesh.lifecycle.search.space import Space, changed
from mesh.lifecycle.search.study import Study
from mesh.lifecycle.training.planning import make_plan
from mesh.lifecycle.training.recording import Recording
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.team import check_device
from mesh.registry.settings import SQLITE, RegistrySettings

if TYPE_CHECKING:
    from optuna import Trial

logger = logging.getLogger(__name__)

BEST, VALUE = "search/best", "search/value"
"""Figures of a search's run: at each trial's number, the best value so far and its own."""
_FAILURES = 3
"""So many trials that fail one after another, or ends of a trial's process, are enough."""
_LOCK_FILE = "lock"


class Workers(Protocol):
    """Does trials, several at once."""

    def start(self, task: Task) -> None:
        """Start a trial."""

    def receive(self) -> tuple[int, Message]:
        """Wait for the next message of any trial, or its process' end; return its number, too."""

    def reply(self, number: int, answer: bool) -> None:
        """Reply to a message of a trial, which may be gone."""

    def finish(self, number: int) -> None:
        """Wait for the end of a trial that has said its last word."""

    def close(self) -> None:
        """End all trials; what they have made so far is kept."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched, and with what.

    Args:
        settings: of the trainings, beside those that the space has.
        trials: how many are done in all, those of earlier processes included.
        at_once: how many run at the same time.
    """

    recipe: Recipe
    settings: FineTuneSettings
    workspace: WorkspaceSettings
    data: DataSettings
    registry: RegistrySettings
    space: Space
    trials: int
    at_once: int

    @property
    def project(self) -> Project:
        """The project whose training it is."""
        return self.recipe.project

    @property
    def folder(self) -> Path:
        """Where all searches are kept: beside a registry in a file, else in the workspace."""
        beside = self.workspace.workspace / ".mesh"
        if self.registry.uri.startswith(SQLITE):
            beside = Path(self.registry.uri.removeprefix(SQLITE)).parent
        return beside.absolute() / "searches" / self.project.name

    def fingerprint(self) -> str:
        """The digest of all that decides the trials, except how many there are.

        Raises:
            MeshError: the device isn't here, or a base model or the features are missing.
        """
        check_device(self.settings.device)
        assert self.recipe.training  # noqa: S101 - searched are projects that train a network
        for model in self.space.described.get("base_model", ()):
            resolve_base_model(model)
        store = DataStore(self.project, "features", self.data)
        settings = changed(self.settings, self.space.first)
        plan = make_plan(self.recipe, self.recipe.training, settings, store, download=True)
        return fingerprint({"training": plan.fingerprint, "space": self.space.described})


def search(settings: Search, open_workers: Callable[[], Workers]) -> Study:
    """Do the trials that are missing; return all.

    An interrupted search goes on with the trials that it was interrupted in.

    Raises:
        MeshError: the training lacks something, a disk is full, or several trials fail in a row.
    """
    with locked(settings.workspace, settings.project, f"a search of {settings.project.name}"):
        folder = settings.folder / settings.fingerprint()[:16]
        advice = "make room there, and search again: the search goes on"
        in_use = f"Another process does the same search in {folder}."
        with (
            alone(folder / _LOCK_FILE, in_use, called=str(folder)),
            full_disk_errors(folder, advice),
        ):
            study = Study(folder, settings.space, settings.settings.seed)
            described = {"trials": settings.trials, **settings.space.described}
            with Recording(
                settings.project,
                settings.registry,
                described,
                wanted=settings.settings.record,
                name="search",
            ) as recording:
                trials = _Trials(settings, study, recording)
                if not trials.is_enough():
                    recording.start(folder)
                    workers = open_workers()
                    try:
                        trials.run(workers)
                    finally:
                        workers.close()
                else:
                    recording.discard()
            return study


class _Trials:
    """The trials of a search in this process."""

    def __init__(self, settings: Search, study: Study, recording: Recording) -> None:
        self._settings = settings
        self._study = study
        self._recording = recording
        self._waiting = deque(study.unfinished())
        self._running: dict[int, Trial] = {}
        self._same: defaultdict[int, list[Trial]] = defaultdict(list)
        self._ends: Counter[int] = Counter()
        self._failures = 0

    def is_enough(self) -> bool:
        """Whether no trial is left to start; failed ones don't count."""
        done = sum(trial.ended.state != "failed" for trial in self._study.trials())
        begun = len(self._running) + sum(map(len, self._same.values()))
        return done + begun >= self._settings.trials

    def run(self, workers: Workers) -> None:
        """Do trials until there are enough."""
        while True:
            while len(self._running) < self._settings.at_once and not self.is_enough():
                self._start(
                    workers, self._waiting.popleft() if self._waiting else self._study.ask()
                )
            if not self._running:
                return
            number, message = workers.receive()
            self._take(workers, self._running[number], message)

    def _start(self, workers: Workers, trial: "Trial") -> None:
        """Start a trial, unless another one has the same settings: it ends in the same way."""
        for other in self._study.trials():
            if other.parameters == trial.params and other.ended.state != "failed":
                logger.info("trial %d is the same as trial %d", trial.number, other.number)
                self._study.end(trial, other.ended)
                return
        for running in self._running.values():
            if running.params == trial.params:
                logger.info("trial %d is the same as trial %d", trial.number, running.number)
                self._same[running.number].append(trial)
                return
        logger.info("trial %d: %s", trial.number, in_words(trial.params))
        self._running[trial.number] = trial
        workers.start(self._task(trial))

    def _task(self, trial: "Trial") -> Task:
        chosen = self._settings
        threads = max(1, (os.cpu_count() or 1) // chosen.at_once)
        return Task(
            number=trial.number,
            project=chosen.project,
            settings=changed(chosen.settings, trial.params),
            workspace=chosen.workspace,
            data=chosen.data,
            registry=chosen.registry,
            metric=chosen.space.metric,
            search=self._recording.reference().get("id", ""),
            threads=threads if chosen.at_once > 1 else 0,
        )

    def _take(self, workers: Workers, trial: "Trial", message: Message) -> None:
        """Do what a message of a trial asks for."""
        number, metric = trial.number, self._settings.space.metric
        if isinstance(message, Epoch):
            logger.info(
                "trial %d, epoch %d: %s %.4g", number, message.number, metric, message.value
            )
            workers.reply(number, self._study.goes_on(trial, message.number, message.value))
        elif isinstance(message, Ended):
            self._end(workers, trial, message)
        elif not message.is_killed:
            raise MeshError(message.reason)
        else:
            self._repeat(workers, trial, message)

    def _repeat(self, workers: Workers, trial: "Trial", message: Stopped) -> None:
        """Have a trial go on whose process has ended before it."""
        self._ends[trial.number] += 1
        if self._ends[trial.number] < _FAILURES:
            logger.warning("trial %d goes on: %s", trial.number, message.reason)
            workers.start(self._task(trial))
        else:
            self._record_end(trial, Ended(state="failed", reason=message.reason))

    def _end(self, workers: Workers, trial: "Trial", ended: Ended) -> None:
        before = self._study.best()
        is_best = ended.value is not None and self._study.is_best(ended.value)
        if ended.network:
            workers.reply(trial.number, is_best)
        workers.finish(trial.number)
        self._record_end(trial, ended)
        if is_best and before and before.ended.network != ended.network:
            kept = self._settings.workspace.output(self._settings.project, "checkpoints")
            shutil.rmtree(kept / before.ended.network, ignore_errors=True)

    def _record_end(self, trial: "Trial", ended: Ended) -> None:
        """Keep how a trial, and those with the same settings, have ended."""
        del self._running[trial.number]
        for each in (trial, *self._same.pop(trial.number, ())):
            self._study.end(each, ended)
        if ended.state == "failed":
            self._failures += 1
            logger.warning("trial %d has failed: %s", trial.number, ended.reason)
            if self._failures == _FAILURES:
                raise MeshError(
                    f"The last {_FAILURES} trials have failed, trial {trial.number} since: "
                    f"{as_clause(MeshError(ended.reason))}; mend that, and search again: the search "
                    "goes on."
                )
            return
        self._failures = 0
        best = self._study.best()
        said = "was pruned" if ended.value is None else f"has {ended.value:.4g}"
        best_said = f"; trial {best.number} is the best so far" if best else ""
        logger.info("trial %d %s%s", trial.number, said, best_said)
        if ended.value is not None and best and best.ended.value is not None:
            self._recording.log(trial.number, {VALUE: ended.value, BEST: best.ended.value})


def in_words(parameters: dict[str, Any]) -> str:
    """Values of settings, for people."""
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in parameters.items()
    )
