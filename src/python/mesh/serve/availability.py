"""Whether predictions are accepted, from the loading of the model to the end of the server."""

import asyncio
import contextlib
import logging
import threading
import time
from enum import StrEnum

from mesh.core.devices import Placement
from mesh.core.errors import MeshError
from mesh.core.precisions import Precision
from mesh.serve.inference import Dispatcher
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.problems import RETRY_AFTER, ProblemError

logger = logging.getLogger(__name__)


class Phase(StrEnum):
    """Where a server is between its start and its end."""

    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"
    CLOSED = "closed"
    FAILED = "failed"


ACCEPTING = (Phase.SERVING, Phase.DRAINING)
"""The phases in which predictions are accepted; readiness is reported while SERVING."""

_REASONS = {
    Phase.LOADING: "The model is being loaded.",
    Phase.SERVING: "The model can't respond at the moment.",
    Phase.DRAINING: "The server is shutting down.",
    Phase.CLOSED: "The server is shutting down.",
    Phase.FAILED: "The server failed, and ends.",
}


class Availability:
    """The phase that a server is in, and the loading of its model.

    Attributes:
        phase: the current phase.
        failed: set when the process can't go on; `failure` then holds the reason, as a sentence.
    """

    def __init__(
        self,
        model: ServedModel,
        dispatcher: Dispatcher,
        metrics: Metrics,
        placement: Placement,
    ) -> None:
        self.phase = Phase.LOADING
        self.failure: str | None = None
        self.failed = asyncio.Event()
        self._model = model
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._placement = placement
        self._started = False
        metrics.ready.set_function(lambda: self.is_ready)

    @property
    def runs_on(self) -> tuple[str, ...]:
        """What the model's network runs on, by its backend's names; nothing before it is loaded."""
        return self._placement.runs_on

    @property
    def precision(self) -> Precision | None:
        """What the network computes in; None before it is loaded, and where there is none."""
        return self._placement.precision

    @property
    def is_ready(self) -> bool:
        """Whether traffic should be sent here."""
        is_able = self._model.ready and self._dispatcher.is_able
        return self.phase is Phase.SERVING and is_able

    def require_ready(self) -> None:
        """Check that traffic should be sent here.

        Raises:
            ProblemError: 503, with the reason.
        """
        if not self.is_ready:
            raise self.unavailable()

    def unavailable(self) -> ProblemError:
        """The reason why there are no predictions now."""
        return ProblemError(503, _REASONS[self.phase], headers=RETRY_AFTER)

    def start_loading(self) -> None:
        """Begin to load the model in a thread, unless that has begun; returns at once."""
        if self._started:
            return
        self._started = True
        loop = asyncio.get_running_loop()
        # A daemon, so that a server can be ended while it loads.
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()

    def drain(self) -> None:
        """Report that no more traffic should be sent, and still accept predictions."""
        if self.phase is Phase.SERVING:
            self.phase = Phase.DRAINING
        else:
            self.refuse()

    def refuse(self) -> None:
        """Accept no more predictions; those that were accepted are still computed."""
        if self.phase is not Phase.FAILED:
            self.phase = Phase.CLOSED

    def fail(self, reason: str) -> None:
        """Accept nothing more, and let the process end with exit code 1.

        Args:
            reason: a sentence for standard error.
        """
        self.phase = Phase.FAILED
        self.failure = reason
        self.failed.set()

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.monotonic()
        failure = None
        name = self._model.name
        try:
            with self._placement.applied():
                self._model.load()
        except MeshError as error:
            failure = str(error)
        except BaseException as error:
            # Extensions in Rust panic with exceptions that aren't an `Exception`.
            logger.exception("Loading the model %s failed", name)
            failure = f"The model {name} can't be loaded: {type(error).__name__}: {error}"
        seconds = time.monotonic() - started
        if failure is None:
            self._show_model()
        # RuntimeError: the loop is closed, so the server was ended while the model was loaded.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._loaded, seconds, failure)

    def _show_model(self) -> None:
        try:
            self._metrics.show_model(self._model.version, self._model.fingerprint)
        except BaseException:
            # The model may still predict.
            logger.exception("The card of the model %s can't be read", self._model.name)

    def _loaded(self, seconds: float, failure: str | None) -> None:
        self._metrics.load_seconds.set(seconds)
        self._metrics.show_device(self.runs_on, self.precision)
        if failure is not None:
            self.fail(failure)
            return
        if self.phase is Phase.LOADING:
            self.phase = Phase.SERVING
            on = f", and runs on {' and '.join(self.runs_on)}" if self.runs_on else ""
            on += f" in {self.precision}" if self.precision else ""
            logger.info("The model %s is loaded (%.2f s)%s", self._model.name, seconds, on)
