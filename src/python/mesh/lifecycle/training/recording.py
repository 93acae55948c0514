"""Records a training as a run, beside the training and never in its way.

Figures are written to a file in the training's folder, and a thread sends them. What a lost server
doesn't get is sent later, at the latest when the training is resumed.
"""

import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mesh.core.environment import code_revision
from mesh.core.errors import MeshError, as_clause
from mesh.core.project import Project
from mesh.core.secret_values import mask_secret
from mesh.lifecycle.training.settings import TrainSettings
from mesh.lifecycle.training.team import Team
from mesh.lifecycle.training.unsent import Unsent
from mesh.registry.base import ModelVersion
from mesh.registry.factory import keeps_runs, open_runs
from mesh.registry.runs import ERROR_TAG, REVISION_TAG, Figure, Runs, State, flat_figures
from mesh.registry.settings import RegistrySettings

_SECONDS = 2.0
"""Between two batches of figures."""
_PAUSE = 30.0
"""After a failure, in seconds."""
_MACHINE_SECONDS = 10.0
_PATIENCE = 20.0
"""So long the end of a training waits for the last batch, and for the end of the run, in seconds."""

logger = logging.getLogger(__name__)


def record(
    project: Project,
    registry: RegistrySettings,
    settings: TrainSettings,
    team: Team,
    name: str = "",
) -> "Recording":
    """The recording of a training with settings.

    Args:
        name: of the run; by default that of the model.
    """
    parameters = settings.model_dump(mode="json", exclude={"force", "record"})
    return Recording(
        project, registry, parameters, wanted=settings.record, leads=team.leads, name=name
    )


class Recording:
    """A training's run; without one, since that is switched off, every method does nothing.

    Used as a context manager: its end says whether the training has finished, failed or was
    interrupted, and with which error.

    Args:
        parameters: of the training; secrets among them are masked.
        wanted: whether to record, if the registry keeps runs.
        leads: whether this is the process of its team that records.
        name: of the run; by default that of the model.

    Attributes:
        wanted: whether the training is recorded, by this process or the first of its team.
    """

    def __init__(
        self,
        project: Project,
        settings: RegistrySettings,
        parameters: Mapping[str, Any],
        *,
        wanted: bool,
        leads: bool = True,
        name: str = "",
    ) -> None:
        self.wanted = wanted and keeps_runs(settings)
        self._on = self.wanted and leads
        self._project = project
        self._name = name or project.trained_model
        self._settings = settings
        self._ending: State = "finished"
        self._parameters = _texts(parameters)
        self._tags = {REVISION_TAG: code_revision()} if self._on else {}
        self._runs: Runs | None = None
        self._run_id = ""
        self._unsent = Unsent()
        self._started = _now()
        self._begun = False
        self._server = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_figures, name="runs", daemon=True)
        self._warned = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if not self._on:
            return
        if error is None:
            self._close(self._ending, {})
        elif isinstance(error, Exception):
            said = str(error) if isinstance(error, MeshError) else type(error).__name__
            self._close("failed", {ERROR_TAG: said})
        else:
            self._close("interrupted", {})

    def discard(self) -> None:
        """There is nothing to train, so there is no run."""
        self._on = False

    def ends_as(self, state: State) -> None:
        """The state of the run after an end without an error; it has finished otherwise."""
        self._ending = state

    def describe(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Add parameters and tags, before the start."""
        self._parameters |= _texts(parameters)
        self._tags |= tags

    def start(self, folder: Path | None = None) -> None:
        """Start sending.

        Args:
            folder: of the training; the run that it has already goes on.
        """
        if not self._on:
            return
        if folder:
            self._run_id = self._unsent.resume(folder)
        self._thread.start()

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Record figures of a step."""
        if not self._on:
            return
        now = _now()
        self._unsent.add(
            step, [Figure(name, float(value), step, now) for name, value in figures.items()]
        )

    def reference(self) -> dict[str, str]:
        """The run for a version's card; empty without one, or while the server can't be reached."""
        if not self._on:
            return {}
        self._attempt(self._begin)
        return {"experiment": self._project.name, "id": self._run_id} if self._run_id else {}

    def keep(self, version: ModelVersion, directory: Path) -> None:
        """Record the result: the scores, the card and the plots, and the link to the version.

        Args:
            directory: of the version; the plots are in it.
        """
        if not self._on:
            return
        scores = {
            name: each for name, each in version.card.metrics.items() if name != "compared_with"
        }
        self.log(self._unsent.step, flat_figures(scores))

        def send() -> None:
            self._begin()
            runs = self._opened()
            runs.link(self._run_id, version.reference)
            plots = version.card.metrics.get("plots", ())
            runs.attach(self._run_id, [directory / plot for plot in plots], "plots")
            with tempfile.TemporaryDirectory() as folder:
                version.card.write(Path(folder))
                runs.attach(self._run_id, list(Path(folder).iterdir()), "card")

        self._attempt(send)
        self.leave_folder()

    def leave_folder(self) -> None:
        """The training's folder is about to be removed: nothing is written there any more."""
        self._unsent.leave_folder()

    def _send_figures(self) -> None:
        """The thread: sends batches until the training's end, whatever happens to the server."""
        machine_at, pause = 0.0, _SECONDS
        while not self._ended.wait(pause):
            if time.monotonic() >= machine_at:
                machine_at = time.monotonic() + _MACHINE_SECONDS
                self._attempt(self._measure)
            pause = _SECONDS if self._attempt(self._send) else _PAUSE

    def _measure(self) -> None:
        self.log(self._unsent.step, self._opened().machine())

    def _send(self) -> None:
        self._begin()
        batch = self._unsent.batch()
        if not batch:
            return
        self._opened().record(self._run_id, batch)
        self._unsent.remove(len(batch))
        self._unsent.remember(self._run_id)

    def _begin(self) -> None:
        """Start the run, or go on with it, if that wasn't done yet."""
        if self._begun:
            return
        runs = self._opened()
        if not self._run_id or not runs.resume(self._run_id):
            self._run_id = runs.start(
                self._project.name,
                self._name,
                self._parameters,
                self._tags,
                self._started,
            )
            self._unsent.remember(self._run_id)
        self._begun = True

    def _opened(self) -> Runs:
        if self._runs is None:
            self._runs = open_runs(self._settings)
        return self._runs

    def _close(self, state: State, tags: Mapping[str, str]) -> None:
        """Send what is left, and the end, but don't wait for a lost server without limit."""

        def end() -> None:
            self._send()
            self._opened().end(self._run_id, state, tags)

        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        last = threading.Thread(target=self._attempt, args=(end,), name="runs", daemon=True)
        last.start()
        last.join(_PATIENCE)
        if last.is_alive():
            logger.warning("the server of the runs doesn't respond: this run's end isn't recorded")

    def _attempt(self, send: Callable[[], None]) -> bool:
        """Do something with the server; the training goes on if that fails, whatever the reason."""
        try:
            with self._server:
                send()
        except Exception as error:
            said = as_clause(error) if isinstance(error, MeshError) else type(error).__name__
            level = logging.DEBUG if self._warned else logging.WARNING
            logger.log(level, "the training goes on, but isn't recorded now: %s", said)
            self._warned = True
            return False
        return True


def _now() -> int:
    """Milliseconds since 1970, in UTC."""
    return time.time_ns() // 1_000_000


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as texts, without secrets."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in mask_secret("", dict(parameters)).items()
    }
