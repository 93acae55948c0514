"""A prediction from the body of a request to the body of the response."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from mesh.core.errors import UsageError
from mesh.core.tracing import span
from mesh.serve.availability import ACCEPTING, Availability
from mesh.serve.bodies import Body, BytesInFlight
from mesh.serve.computation import Streamed
from mesh.serve.inference import Dispatcher
from mesh.serve.job_queue import QueueFullError
from mesh.serve.jobs import Job
from mesh.serve.media_types import JSON, require_json
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.patience import WATCH_AFTER_SECONDS, Patience
from mesh.serve.problems import FullError, ProblemError, shorten, validation_problem
from mesh.serve.request_limits import SPARE_ELEMENTS, Extent, largest_request
from mesh.serve.settings import ServeSettings
from mesh.serve.streams import send_lines, wants_lines
from mesh.serve.timers import Timers

Schema = TypeVar("Schema", bound=BaseModel)
Result = TypeVar("Result")
Headers = Mapping[bytes, bytes]

_JSON_TYPE = (b"content-type", JSON.encode())
INLINE_BYTES = 64 * 1024
"""Bodies up to this size are validated within a millisecond, faster than a thread is reached."""


class Predictor:
    """The endpoint for predictions, and its parts for other protocols.

    It is an ASGI app itself: the objects that Starlette makes of a request and a response would
    take longer than all the rest.

    Attributes:
        max_bytes: of one body.
    """

    def __init__(
        self,
        model: ServedModel,
        availability: Availability,
        dispatcher: Dispatcher,
        metrics: Metrics,
        settings: ServeSettings,
    ) -> None:
        self._model = model
        self._availability = availability
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._settings = settings
        self._flight = BytesInFlight(settings.max_bytes_in_flight, settings.receive_seconds)
        self._watching = Timers(min(WATCH_AFTER_SECONDS, settings.deadline_seconds), Patience.watch)
        metrics.bytes_in_flight.set_function(lambda: self._flight.count)
        self._validating = asyncio.Lock()
        self.max_bytes = min(
            settings.max_body_bytes or largest_request(model.request_model).bytes,
            self._flight.largest,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        require_model(scope["path_params"]["name"], self._model)
        schema = self._model.request_model
        headers = dict(scope["headers"])
        with self.accepted(headers, schema) as body:
            content = await self.content(body, headers, receive)
            parsed = await self.validated(len(content), lambda: validate(schema, content))
            if b"accept" in headers and wants_lines(scope):
                await send_lines(self.outputs(parsed, receive), scope, send)
                return
            [response] = await self.infer([parsed], receive)
        length = (b"content-length", str(len(response)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length, _JSON_TYPE]})
        await send({"type": "http.response.body", "body": response})

    def accepted(
        self,
        headers: Headers,
        schema: type[BaseModel],
        *,
        and_bytes: bool = False,
        json_bytes: int | None = None,
    ) -> Body:
        """The body of a request for a prediction, to be read next; cheap checks come first.

        Until the end of its block, it counts as in flight.

        Args:
            headers: as ASGI gives them, names in lower case.
            schema: of the body, or of its first `json_bytes` bytes.
            and_bytes: see `require_json`.

        Raises:
            ProblemError: 415 or 503.
        """
        require_json(headers, and_bytes=and_bytes)
        if self._availability.phase not in ACCEPTING or not self._model.ready:
            self._metrics.rejections.labels("unavailable").inc()
            raise self._availability.unavailable()
        if self._dispatcher.is_full:
            raise self._queue_full()
        limits = Extent(self.max_bytes, largest_request(schema).elements)
        return Body(self._flight, limits, json_bytes)

    async def content(self, body: Body, headers: Headers, receive: Receive) -> bytes:
        """What a body holds.

        Raises:
            ProblemError: 400, 408, 413, 422 or 503.
            ClientDisconnect: the client left.
        """
        with span("receive") as receiving:
            content = await body.read(headers, receive)
            receiving.set({"http.request.body.size": len(content)})
        return content

    async def message(
        self, scope: Scope, receive: Receive, read: Callable[[bytes], Result]
    ) -> Result:
        """Read a small body that asks for no prediction. It may be said to be bytes.

        Args:
            read: validates it.

        Raises:
            ProblemError: 400, 408, 413, 415, 422 or 503.
            ClientDisconnect: the client left.
        """
        headers = dict(scope["headers"])
        require_json(headers, and_bytes=True)
        limits = Extent(INLINE_BYTES, SPARE_ELEMENTS)
        with Body(self._flight, limits) as body:
            return read(await body.read(headers, receive))

    async def validated(self, size: int, validate: Callable[[], Result]) -> Result:
        """The result of validating a body of this size.

        Raises:
            ProblemError: 400 or 422, as `validate` raises it.
        """
        with span("validate"):
            if size <= INLINE_BYTES:
                return validate()
            # One at a time: each holds the interpreter lock, and the memory of what it makes.
            async with self._validating:
                return await asyncio.to_thread(validate)

    async def infer(self, requests: Sequence[Any], receive: Receive) -> list[bytes]:
        """Compute the responses to validated requests.

        Args:
            receive: the ASGI channel of the client, its body consumed; watched for the client
                leaving.

        Returns:
            A JSON document of the response model for each request.

        Raises:
            ProblemError: 422 from the model, 503 when the queue is full, 504 past the deadline.
            ClientDisconnect: the client left.
            Exception: the model raised it.
        """
        jobs = self._submitted(requests)
        patience = self._patience(jobs, receive)
        results = []
        try:
            for job in jobs:
                results.append(await job.future)
        except asyncio.CancelledError:
            self._raise_given_up(patience)
            raise
        finally:
            patience.stop()
            self._dispatcher.cancel(jobs)
        for result in results:
            self._raise_failure(result)
        return results

    async def outputs(self, request: Any, receive: Receive) -> AsyncGenerator[bytes, None]:
        """The outputs of the response to a validated request as JSON, as soon as they are ready.

        The deadline is that of each output.

        Raises:
            ProblemError: see `infer`.
            ClientDisconnect: the client left.
            Exception: the model raised it.
        """
        loop = asyncio.get_running_loop()
        ready: asyncio.Queue[bytes | None] = asyncio.Queue()

        def emit(output: bytes) -> None:
            # RuntimeError: the loop is closed, since the server stopped waiting.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ready.put_nowait, output)

        jobs = self._submitted([Streamed(request, emit)], alone=True)
        patience = self._patience(jobs, receive)
        [job] = jobs
        # Whatever ends it, its result comes after the last output.
        job.future.add_done_callback(lambda _: ready.put_nowait(None))
        try:
            while (output := await ready.get()) is not None:
                patience.renew()
                yield output
            self._raise_failure(await job.future)
        except asyncio.CancelledError:
            self._raise_given_up(patience)
            raise
        finally:
            patience.stop()
            self._dispatcher.cancel(jobs)

    def _submitted(self, requests: Sequence[Any], *, alone: bool = False) -> list[Job]:
        """Queue requests; the caller cancels those that aren't done when it ends.

        Raises:
            ProblemError: 503, the queue is full.
        """
        try:
            return self._dispatcher.submit(requests, alone=alone)
        except QueueFullError:
            raise self._queue_full() from None

    def _patience(self, jobs: Sequence[Job], receive: Receive) -> Patience:
        return Patience(jobs, receive, self._settings.deadline_seconds, self._watching)

    def _raise_given_up(self, patience: Patience) -> None:
        """Say why jobs were cancelled, if it was since nobody waited for them any more."""
        if patience.ended is None:
            return
        self._metrics.rejections.labels(patience.ended).inc()
        if patience.ended == "client_left":
            raise ClientDisconnect from None
        raise ProblemError(
            504,
            f"No response was ready within {self._settings.deadline_seconds:g} seconds; "
            "send less text, or try again later.",
        ) from None

    def _raise_failure(self, result: Any) -> None:
        """Raise the exception that a result is, if it is one."""
        if isinstance(result, QueueFullError):
            raise self._queue_full()
        if isinstance(result, UsageError):
            raise ProblemError(422, str(result)) from result
        if isinstance(result, Exception):
            raise result

    def _queue_full(self) -> ProblemError:
        self._metrics.rejections.labels("queue_full").inc()
        return FullError("The server has as many requests waiting as it accepts; try again later.")


def validate(schema: type[Schema], body: bytes) -> Schema:
    """The message in a body of JSON.

    Raises:
        ProblemError: 400 or 422.
    """
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise validation_problem(error) from None


def require_model(name: str, model: ServedModel) -> None:
    """Check that this is the model that is served.

    Raises:
        ProblemError: 404.
    """
    if name != model.name:
        detail = f"The model {shorten(name)!r} is not served here; {model.name!r} is."
        raise ProblemError(404, detail)
