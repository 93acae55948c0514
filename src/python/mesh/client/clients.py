"""A synchronous and an asynchronous client of a model's server."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Self

import httpx

from mesh.client.attempts import Reply, Result, Send, Steps, Wait
from mesh.client.batches import Batches
from mesh.client.calls import ATTEMPTS, SECONDS, Calls, Lines, Request, Response
from mesh.client.errors import CallError

TOO_LARGE = 413


class Client(Calls[Request, Response]):
    """Calls a model's server; threads may share it. Close it, or use it in a `with` block.

    Args:
        url: see `Calls` for it and what follows.
        http: sends the requests, with its own settings of TLS and proxies; the caller closes it.
    """

    def __init__(
        self,
        url: str,
        model: str,
        request: type[Request],
        response: type[Response],
        *,
        key: str | None = None,
        seconds: float = SECONDS,
        attempts: int = ATTEMPTS,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, model, request, response, key, seconds, attempts)
        self._http = http or httpx.Client()
        self._owned = self._http if http is None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._owned is not None:
            self._owned.close()

    def predict(self, request: Request, *, seconds: float | None = None) -> Response:
        """The response to a request.

        Args:
            seconds: how long it may take with all attempts, where not as long as for all calls.

        Raises:
            CallError: there is none.
        """
        return self._run(self._predict(request, seconds))

    def outputs(
        self, inputs: Sequence[Any], *, seconds: float | None = None, **others: Any
    ) -> Iterator[Any]:
        """The outputs for any number of inputs, in their order, by as many requests as it takes.

        Args:
            inputs: texts, or what `inputs` of the request holds.
            seconds: how long one request may take.
            others: the other fields of each request, such as `configuration`.

        Raises:
            UsageError: the schema doesn't allow an input, or the other fields.
            CallError: a request has no response; the outputs of those before it were yielded.
        """
        batches = Batches(self.request, inputs, others)
        for request in batches:
            try:
                response = self.predict(request, seconds=seconds)
            except CallError as error:
                if error.status != TOO_LARGE or not batches.halve():
                    raise
            else:
                yield from response.outputs  # type: ignore[attr-defined]

    def stream(self, request: Request, *, seconds: float | None = None) -> Iterator[Any]:
        """The outputs for a request, each as soon as it is ready.

        Args:
            seconds: until the first one with all attempts, and from each to the next.

        Raises:
            CallError: there is no response, or it ends early.
        """
        response = self._run(self._stream(request, seconds))
        try:
            lines = Lines()
            with self._reading():
                for piece in response.iter_bytes():
                    for line in lines.add(piece):
                        yield self._output_of(line)
            for line in lines.end():
                yield self._output_of(line)
        finally:
            response.close()

    def bio(self, *, seconds: float | None = None) -> dict[str, Any]:
        """The description of the model: `model_name` and `model_card`.

        Raises:
            CallError: there is none.
        """
        return self._run(self._bio(seconds))

    def is_ready(self, *, seconds: float | None = None) -> bool:
        """Whether the server responds to predictions now.

        Raises:
            CallError: something else responds there.
        """
        return self._run(self._is_ready(seconds))

    def _run(self, steps: Steps[Result]) -> Result:
        outcome: Reply | Exception | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                outcome = None
            else:
                outcome = self._outcome(step)

    def _outcome(self, send: Send) -> Reply | Exception:
        try:
            response = self._http.send(self._built(self._http, send), stream=True)
            if send.is_stream and response.is_success:
                return Reply(response.status_code, response.headers, stream=response)
            try:
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if time.monotonic() > send.end:
                        raise TimeoutError
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return error
        return Reply(response.status_code, response.headers, bytes(content))


class AsyncClient(Calls[Request, Response]):
    """The same for asyncio; close it by `aclose`, or use it in an `async with` block."""

    def __init__(
        self,
        url: str,
        model: str,
        request: type[Request],
        response: type[Response],
        *,
        key: str | None = None,
        seconds: float = SECONDS,
        attempts: int = ATTEMPTS,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, model, request, response, key, seconds, attempts)
        self._http = http or httpx.AsyncClient()
        self._owned = self._http if http is None else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._owned is not None:
            await self._owned.aclose()

    async def predict(self, request: Request, *, seconds: float | None = None) -> Response:
        """See `Client.predict`."""
        return await self._run(self._predict(request, seconds))

    async def outputs(
        self, inputs: Sequence[Any], *, seconds: float | None = None, **others: Any
    ) -> AsyncIterator[Any]:
        """See `Client.outputs`."""
        batches = Batches(self.request, inputs, others)
        for request in batches:
            try:
                response = await self.predict(request, seconds=seconds)
            except CallError as error:
                if error.status != TOO_LARGE or not batches.halve():
                    raise
            else:
                for output in response.outputs:  # type: ignore[attr-defined]
                    yield output

    async def stream(self, request: Request, *, seconds: float | None = None) -> AsyncIterator[Any]:
        """See `Client.stream`."""
        response = await self._run(self._stream(request, seconds))
        try:
            lines = Lines()
            with self._reading():
                async for piece in response.aiter_bytes():
                    for line in lines.add(piece):
                        yield self._output_of(line)
            for line in lines.end():
                yield self._output_of(line)
        finally:
            await response.aclose()

    async def bio(self, *, seconds: float | None = None) -> dict[str, Any]:
        """See `Client.bio`."""
        return await self._run(self._bio(seconds))

    async def is_ready(self, *, seconds: float | None = None) -> bool:
        """See `Client.is_ready`."""
        return await self._run(self._is_ready(seconds))

    async def _run(self, steps: Steps[Result]) -> Result:
        outcome: Reply | Exception | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                outcome = None
            else:
                outcome = await self._outcome(step)

    async def _outcome(self, send: Send) -> Reply | Exception:
        try:
            async with asyncio.timeout(send.seconds):
                response = await self._http.send(self._built(self._http, send), stream=True)
                if send.is_stream and response.is_success:
                    return Reply(response.status_code, response.headers, stream=response)
                try:
                    content = await response.aread()
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return error
        return Reply(response.status_code, response.headers, content)
