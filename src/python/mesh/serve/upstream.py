"""Calls of other services by a model: their errors, retries, circuit breaker and event loop."""

import asyncio
import contextlib
import logging
import math
import re
import threading
import time
from collections.abc import Awaitable, Coroutine, Iterable
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import tenacity

from mesh.core.passes import checkpoint, watched
from mesh.core.tracing import Attributes, Span, span
from mesh.serve.problems import ProblemError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SECONDS_BETWEEN_CHECKPOINTS = 0.1
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 8
_PORTS = {"http": 80, "https": 443}
_DELAY_SECONDS = re.compile(r"[0-9]{1,9}")


class UpstreamError(ProblemError):
    """Another service failed; the client gets the status and a sentence that names the service.

    Args:
        status: 502 for a wrong response, 503 for none or a refusal for now, 504 for one that takes
            too long.
        service: its name, such as "The chat endpoint llm.example.org"; begins the sentence.
        reason: the rest of the sentence.
        transient: whether another try may help.
        retry_after: seconds for which the service wants no calls.
    """

    def __init__(
        self,
        status: Literal[502, 503, 504],
        service: str,
        reason: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        wait = 1 if retry_after is None else math.ceil(retry_after)
        headers = {"Retry-After": str(wait)} if status == 503 else None
        super().__init__(status, f"{service} {reason}", headers=headers)
        self.transient = transient
        self.retry_after = retry_after


class Failures:
    """The errors of one service.

    Args:
        service: its name, which begins their sentences.
    """

    def __init__(self, service: str) -> None:
        self.service = service

    def status(
        self, status: int, retry_after: str | None, text: str | None = None
    ) -> UpstreamError:
        """The service responded with an error status.

        Args:
            retry_after: its header `Retry-After`, if it has one.
            text: its own sentence about the failure, if that may be passed on.
        """
        end = f": {text}" if text else "."
        if status in (429, 503):
            return UpstreamError(
                503,
                self.service,
                f"takes no more requests for now (status {status}){end}",
                transient=True,
                retry_after=parse_retry_after(retry_after),
            )
        reason = f"failed with status {status}{end}"
        return UpstreamError(502, self.service, reason, transient=status >= 500)

    def late(self) -> UpstreamError:
        """One call took too long."""
        return UpstreamError(504, self.service, "did not respond in time.", transient=True)

    def past_deadline(self, seconds: float) -> UpstreamError:
        """All calls for a request took too long together."""
        return UpstreamError(504, self.service, f"did not respond within {seconds:g} seconds.")

    def unreachable(self) -> UpstreamError:
        """There is no connection."""
        return UpstreamError(503, self.service, "can't be reached.", transient=True)

    def unusable(self, reason: str = "returned a response that can't be used.") -> UpstreamError:
        """The response is wrong."""
        return UpstreamError(502, self.service, reason, transient=True)


def call_span(
    name: str, url: str, attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """The span of one call; the service gets `mesh.core.tracing.headers` within it.

    Args:
        url: of the service; its host and port are told.
    """
    about: dict[str, str | bool | int | float] = {"http.request.method": "POST"}
    # ValueError: it is no URL, which the call itself will tell.
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        about["server.address"] = parts.hostname or ""
        about["server.port"] = parts.port or _PORTS.get(parts.scheme, 0)
    return span(name, {**about, **(attributes or {})}, is_call=True)


def parse_retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3); None if missing, a date, or wrong."""
    return float(header) if header and _DELAY_SECONDS.fullmatch(header) else None


def retrying(*, attempts: int, seconds: float) -> tenacity.AsyncRetrying:
    """Retries of an async call that raises `UpstreamError`.

    Use it as `async for attempt in retrying(...): with attempt: ...`. Between two attempts it waits
    as long as the service wants, else longer each time, with jitter. It stops when the wait would
    not end in time, and raises the last error.

    Args:
        attempts: the number of calls at most.
        seconds: from now on; each attempt must be bounded by the caller.
    """
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_is_transient),
        wait=_Wait(),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_before_delay(seconds),
        reraise=True,
    )


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, UpstreamError) and error.transient


class _Wait(tenacity.wait_exponential_jitter):
    """The time that the service wants, else an exponential back-off."""

    def __init__(self) -> None:
        super().__init__(
            multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS
        )

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            return error.retry_after
        return super().__call__(retry_state)


class CircuitBreaker:
    """Refuses calls for a while after several failed in a row; then lets one through as a trial.

    The other calls wait for its outcome. Call all methods from one event loop.

    Args:
        service: its name, for the error message.
        failures: the number of failed calls in a row that opens the circuit.
        seconds: the time for which calls are refused then.
    """

    def __init__(self, service: str, *, failures: int, seconds: float) -> None:
        self._service = service
        self._limit = failures
        self._seconds = seconds
        self._failures = 0
        self._open_until = -math.inf

    def check(self) -> None:
        """Allow a call; report its outcome by `succeeded` or `failed`.

        Raises:
            UpstreamError: 503, the circuit breaker is open.
        """
        if self._failures < self._limit:
            return
        now = time.monotonic()
        if now < self._open_until:
            raise UpstreamError(
                503,
                self._service,
                f"failed {self._failures} times in a row, so its circuit breaker is open.",
                retry_after=self._open_until - now,
            )
        self._open_until = now + self._seconds

    def succeeded(self) -> None:
        """The service responded."""
        self._failures = 0

    def failed(self) -> None:
        """The service did not respond, or its response can't be used."""
        self._failures += 1
        self._open_until = time.monotonic() + self._seconds


class EventLoop:
    """An event loop in a thread of its own, for the async clients of a model with threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a call without a waiting client doesn't keep the process from ending.
        threading.Thread(target=self._live, name="upstream", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine there and wait for it; many threads may do so at the same time.

        Raises:
            AbandonedError: nobody waits for the result any more; the coroutine is cancelled.
        """
        return self.wait(self.start(work))

    def start(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Run a coroutine there; whoever starts it waits for it, or cancels it."""
        # The watch is that of this thread: the loop is there for others too.
        with watched(None):
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, future: Future[Result]) -> Result:
        """The result of what was started.

        Raises:
            AbandonedError: nobody waits for the result any more; the coroutine is cancelled.
        """
        try:
            while not wait([future], SECONDS_BETWEEN_CHECKPOINTS).done:
                checkpoint(idle=True)
            return future.result()
        finally:
            future.cancel()

    def _live(self) -> None:
        while True:
            try:
                self._loop.run_forever()
            except BaseException:
                # A coroutine's SystemExit ends the loop, for which all calls would wait for ever.
                logger.exception("The event loop for other services ended; it goes on")


async def settle(works: Iterable[Awaitable[Result]]) -> list[Result | Exception]:
    """Await all at the same time: the result of each, or its exception."""
    results = await asyncio.gather(*works, return_exceptions=True)
    return [_not_cancelled(result) for result in results]


def _not_cancelled(result: Result | BaseException) -> Result | Exception:
    if isinstance(result, BaseException) and not isinstance(result, Exception):
        raise result
    return result
