"""Calls to services that take and return JSON: bounded, retried, counted, checked."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError

from entity_fishing.linker import Task
from entity_fishing.settings import EntityFishingSettings
from mesh.core.errors import UsageError
from mesh.core.tracing import headers
from mesh.serve.upstream import (
    CircuitBreaker,
    EventLoop,
    Failures,
    UpstreamError,
    call_span,
    retrying,
    settle,
)

logger = logging.getLogger(__name__)

Body = TypeVar("Body", bound=BaseModel)
Result = TypeVar("Result")

CONNECT_SECONDS = 5
MAX_RESPONSE_BYTES = 32 * 1024 * 1024


def calls_counter() -> Counter:
    """Calls to services, by service and outcome: `answered`, or the status of the failure."""
    return Counter(
        "upstream_calls_total", "Calls to other services.", ("service", "outcome"), registry=None
    )


class JsonService:
    """One endpoint of a service.

    Args:
        name: its kind, such as "The ner service"; error messages add the host.
        url: of the service.
        path: of the endpoint.
        loop: runs the calls.
        calls: see `calls_counter`.
        refusals: messages for statuses that are the request's fault; the client gets 422 with that
            message.
    """

    def __init__(
        self,
        name: str,
        url: str,
        path: str,
        settings: EntityFishingSettings,
        *,
        loop: EventLoop,
        calls: Counter,
        refusals: Mapping[int, str],
    ) -> None:
        self._label = name.removeprefix("The ")
        # Without user and password, which a URL may contain.
        self._name = f"{name} {urlsplit(url).netloc.rpartition('@')[2]}"
        self._url = f"{url.rstrip('/')}{path}"
        self._settings = settings
        self._loop = loop
        self._calls = calls
        self._refusals = refusals
        self._failures = Failures(self._name)
        self._breaker = CircuitBreaker(
            self._name, failures=settings.breaker_failures, seconds=settings.breaker_seconds
        )
        self._free = asyncio.Semaphore(settings.concurrency)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.attempt_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=settings.concurrency),
        )

    def run(
        self,
        work: Callable[[Task, float], Awaitable[Result]],
        tasks: Sequence[Task],
        end: float,
    ) -> list[Result | Exception]:
        """Work on several texts at the same time; a failure concerns only its own text.

        Args:
            work: calls this service for a text, until `end`.
            end: time of `time.monotonic()`.
        """

        async def bounded(task: Task) -> Result:
            try:
                async with asyncio.timeout(end - time.monotonic()):
                    return await work(task, end)
            except TimeoutError:
                raise self._failures.past_deadline(self._settings.deadline_seconds) from None

        return self._loop.run(settle(map(bounded, tasks)))

    async def call(self, body: Any, schema: type[Body], end: float) -> Body:
        """Post a body; retry if that may help.

        Args:
            schema: of the response.
            end: time of `time.monotonic()` after which there is no further attempt; the caller
                limits the last one.

        Raises:
            UpstreamError: the service fails.
            UsageError: the service refuses this body.
        """
        attempts = retrying(attempts=self._settings.attempts, seconds=end - time.monotonic())
        async for attempt in attempts:
            with attempt:
                async with self._free:
                    return await self._attempt(body, schema)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, body: Any, schema: type[Body]) -> Body:
        self._breaker.check()
        try:
            async with asyncio.timeout(self._settings.attempt_seconds):
                response = schema.model_validate_json(await self._post(body))
        except BaseException as error:
            raise self._noted(error) from error
        self._breaker.succeeded()
        self._count("answered")
        return response

    async def _post(self, body: Any) -> bytes:
        content = bytearray()
        with call_span("POST", self._url) as span:
            send = self._client.stream("POST", self._url, json=body, headers=headers())
            async with send as response:
                span.set({"http.response.status_code": response.status_code})
                if response.status_code in self._refusals:
                    raise UsageError(f"{self._name} {self._refusals[response.status_code]}")
                if response.status_code != httpx.codes.OK:
                    retry_after = response.headers.get("retry-after")
                    raise self._failures.status(response.status_code, retry_after)
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > MAX_RESPONSE_BYTES:
                        reason = f"returned a response of more than {MAX_RESPONSE_BYTES} bytes."
                        raise UpstreamError(502, self._name, reason)
        return bytes(content)

    def _noted(self, error: BaseException) -> BaseException:
        """Count a failure, and turn it into the client's error."""
        if isinstance(error, UsageError):
            self._breaker.succeeded()
            self._count("422")
            return error
        if isinstance(error, asyncio.CancelledError):
            self._breaker.failed()
            self._count("504")
            return error
        failure = self._failure(error)
        if isinstance(failure, UpstreamError):
            logger.warning("%s failed: %s", self._name, type(error).__name__)
            self._breaker.failed()
            self._count(str(failure.status))
        return failure

    def _failure(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return self._failures.late()
        if isinstance(error, httpx.NetworkError):
            return self._failures.unreachable()
        if isinstance(error, ValidationError | httpx.HTTPError):
            return self._failures.unusable()
        return error

    def _count(self, outcome: str) -> None:
        self._calls.labels(self._label, outcome).inc()
