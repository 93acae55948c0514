"""From a validated request to the answer's bytes: load, queue, compute, give up."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from mesh.core.errors import MeshError, UsageError
from mesh.serve.dispatcher import Dispatcher, Job, QueueFullError
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError, validation_problem
from mesh.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

RETRY_AFTER = {"Retry-After": "1"}
INLINE_BYTES = 64 * 1024
"""Bodies up to this size are validated within a millisecond, faster than a thread is reached."""

WATCH_AFTER_SECONDS = 0.01
"""Watching whether a client leaves takes longer than a short answer does."""


class Phase(StrEnum):
    """Where a server is between its start and its end."""

    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"
    CLOSED = "closed"
    FAILED = "failed"


class InferenceService:
    """A model, the threads that it computes in, and whether it can answer.

    Attributes:
        phase: predictions are accepted while SERVING and DRAINING; readiness is reported while SERVING.
        load_failed: set when loading failed; `failure` then holds why, as a sentence.
    """

    def __init__(self, model: ServedModel, settings: ServeSettings, metrics: Metrics) -> None:
        self.model = model
        self.phase = Phase.LOADING
        self.failure: str | None = None
        self.load_failed = asyncio.Event()
        self.metrics = metrics
        self._settings = settings
        self.dispatcher = Dispatcher(
            self.compute,
            metrics,
            threads=settings.threads,
            queue_size=settings.queue_size,
            max_batch=settings.max_batch,
            wait_seconds=settings.batch_wait_ms / 1000,
        )
        metrics.watch(ready=lambda: self.is_ready, queue_depth=lambda: len(self.dispatcher))

    @property
    def is_ready(self) -> bool:
        """Whether traffic should be sent here."""
        return self.phase is Phase.SERVING and self.model.ready

    def start(self) -> None:
        """Begin to load the model in a thread; returns at once."""
        self.dispatcher.start()
        loop = asyncio.get_running_loop()
        # A daemon, so that a server can be ended while it loads.
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()

    def drain(self) -> None:
        """Report that no more traffic should be sent, and go on accepting predictions."""
        if self.phase is Phase.SERVING:
            self.phase = Phase.DRAINING
        else:
            self.refuse()

    def refuse(self) -> None:
        """Accept no more predictions; those that were accepted are still computed."""
        if self.phase is not Phase.FAILED:
            self.phase = Phase.CLOSED

    def close(self) -> None:
        """Let the threads end once they have computed what was accepted."""
        self.refuse()
        self.dispatcher.close()

    def require_ready(self) -> None:
        """Check that traffic should be sent here.

        Raises:
            ProblemError: 503, with the reason.
        """
        if not self.is_ready:
            raise self._unavailable()

    def require_capacity(self) -> None:
        """Check, before a body is read, that a prediction can be accepted.

        Raises:
            ProblemError: 503 when the model can't answer or the queue is full.
        """
        if self.phase not in (Phase.SERVING, Phase.DRAINING) or not self.model.ready:
            self.metrics.rejections.labels("unavailable").inc()
            raise self._unavailable()
        if len(self.dispatcher) >= self.dispatcher.queue_size:
            raise self._queue_full()

    async def validate(self, schema: type[BaseModel], body: bytes) -> Any:
        """Parse and validate a JSON body; a big one in a thread.

        Raises:
            ProblemError: 400 or 422, with the fields that are wrong.
        """
        try:
            if len(body) <= INLINE_BYTES:
                return schema.model_validate_json(body)
            return await asyncio.to_thread(schema.model_validate_json, body)
        except ValidationError as error:
            raise validation_problem(error) from None

    async def infer(self, requests: Sequence[Any], receive: Receive) -> list[bytes]:
        """Compute the answers to validated requests.

        Args:
            receive: the ASGI channel of the client, its body consumed; watched for the client leaving.

        Returns:
            A JSON document of the response model for each request.

        Raises:
            ProblemError: 422 from the model, 503 when the queue is full, 504 past the deadline.
            ClientDisconnect: the client left.
            Exception: what the model raised.
        """
        try:
            jobs = self.dispatcher.submit(requests)
        except QueueFullError:
            raise self._queue_full() from None
        try:
            results = await self._results(jobs, receive)
        finally:
            self.dispatcher.cancel(jobs)
        for result in results:
            if isinstance(result, UsageError):
                raise ProblemError(422, str(result)) from result
            if isinstance(result, Exception):
                raise result
        return results

    async def _results(self, jobs: Sequence[Job], receive: Receive) -> list[Any]:
        patience = _Patience(jobs, receive, self._settings.deadline_seconds)
        try:
            return [await job.future for job in jobs]
        except asyncio.CancelledError:
            if patience.ended is None:
                raise
            self.metrics.rejections.labels(patience.ended).inc()
            if patience.ended == "client_left":
                raise ClientDisconnect from None
            raise ProblemError(
                504,
                f"No answer was ready within {self._settings.deadline_seconds:g} seconds; "
                "send less text, or try again later.",
            ) from None
        finally:
            patience.stop()

    def _queue_full(self) -> ProblemError:
        self.metrics.rejections.labels("queue_full").inc()
        detail = "The server has as many requests waiting as it accepts; try again later."
        return ProblemError(503, detail, headers=RETRY_AFTER)

    def _unavailable(self) -> ProblemError:
        reasons = {
            Phase.LOADING: "The model is being loaded.",
            Phase.SERVING: "The model can't answer at the moment.",
            Phase.DRAINING: "The server is shutting down.",
            Phase.CLOSED: "The server is shutting down.",
            Phase.FAILED: "The model can't be loaded.",
        }
        return ProblemError(503, reasons[self.phase], headers=RETRY_AFTER)

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.monotonic()
        failure = None
        try:
            self.model.load()
        except MeshError as error:
            failure = str(error)
        except Exception as error:
            logger.exception("Loading the model %s failed", self.model.name)
            failure = (
                f"The model {self.model.name} can't be loaded: {type(error).__name__}: {error}"
            )
        seconds = time.monotonic() - started
        # RuntimeError: the loop is closed, so the server was ended while the model was loaded.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._loaded, seconds, failure)

    def _loaded(self, seconds: float, failure: str | None) -> None:
        self.metrics.load_seconds.set(seconds)
        if failure is not None:
            self.phase = Phase.FAILED
            self.failure = failure
            self.load_failed.set()
        elif self.phase is Phase.LOADING:
            self.phase = Phase.SERVING
            logger.info("The model %s is loaded (%.2f s)", self.model.name, seconds)

    def compute(self, requests: Sequence[Any]) -> list[bytes | Exception]:
        """Each answer as JSON, or the exception that is the answer; called in the threads."""
        return [self._encode(response) for response in self._predict(requests)]

    def _predict(self, requests: Sequence[Any]) -> Sequence[BaseModel | Exception]:
        try:
            return self.model.predict_batch(requests)
        except Exception:
            if len(requests) == 1:
                raise
            logger.exception("A batch of %d failed; its requests are tried alone", len(requests))
        responses: list[BaseModel | Exception] = []
        for request in requests:
            try:
                responses.extend(self.model.predict_batch([request]))
            except Exception as error:
                responses.append(error)
        return responses

    def _encode(self, response: BaseModel | Exception) -> bytes | Exception:
        if isinstance(response, Exception):
            return response
        if not isinstance(response, self.model.response_model):
            expected = self.model.response_model.__name__
            return TypeError(f"The model answered {type(response).__name__}, not {expected}")
        return response.model_dump_json().encode()


class _Patience:
    """Cancels jobs when their client leaves or their time is over. Those that are done soon end without being watched.

    Attributes:
        ended: why they were cancelled, as the metric of rejections names it.
    """

    def __init__(self, jobs: Sequence[Job], receive: Receive, seconds: float) -> None:
        self.ended: Literal["client_left", "deadline"] | None = None
        self._jobs = jobs
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._task: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(min(WATCH_AFTER_SECONDS, seconds), self._watch)

    def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _watch(self) -> None:
        self._timer = self._loop.call_at(self._end, self._give_up, "deadline")
        self._task = asyncio.create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._give_up("client_left")

    def _give_up(self, reason: Literal["client_left", "deadline"]) -> None:
        if self.ended is None:
            self.ended = reason
            for job in self._jobs:
                job.future.cancel()
