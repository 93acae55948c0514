"""Calls of services that take and answer JSON: bounded in time, number and size, retried, counted, checked."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError

from entity_fishing.circuit_breaker import CircuitBreaker
from entity_fishing.settings import EntityFishingSettings
from mesh.core.errors import UsageError
from mesh.serve.upstream import UpstreamError, parse_retry_after, retrying

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=BaseModel)

CONNECT_SECONDS = 5
MAX_ANSWER_BYTES = 32 * 1024 * 1024


class JsonService:
    """One address of a service.

    Args:
        name: what it is, such as "The ner service"; error messages add the host.
        address: of the service.
        path: what is asked there.
        refusals: what statuses mean that are the fault of what was asked; the client gets 422 and that sentence.

    Attributes:
        calls: by outcome: `answered`, or the status that the failure is answered with.
    """

    def __init__(
        self,
        name: str,
        address: str,
        path: str,
        settings: EntityFishingSettings,
        *,
        calls: Counter,
        refusals: Mapping[int, str],
    ) -> None:
        self._label = name.removeprefix("The ")
        # Without user and password, which an address may have.
        self._name = f"{name} {urlsplit(address).netloc.rpartition('@')[2]}"
        self._url = f"{address.rstrip('/')}{path}"
        self._settings = settings
        self._calls = calls
        self._refusals = refusals
        self._breaker = CircuitBreaker(
            self._name, failures=settings.breaker_failures, seconds=settings.breaker_seconds
        )
        self._free = asyncio.Semaphore(settings.concurrency)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.attempt_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=settings.concurrency),
        )

    async def ask(self, body: Any, form: type[Answer], end: float) -> Answer:
        """Post a body; retry what may help.

        Args:
            form: of the answer.
            end: time of `time.monotonic()` at which no more attempt is made; the caller bounds the last one.

        Raises:
            UpstreamError: the service fails.
            UsageError: it refuses what was asked.
        """
        attempts = retrying(attempts=self._settings.attempts, seconds=end - time.monotonic())
        async for attempt in attempts:
            with attempt:
                async with self._free:
                    return await self._attempt(body, form)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, body: Any, form: type[Answer]) -> Answer:
        self._breaker.check()
        try:
            async with asyncio.timeout(self._settings.attempt_seconds):
                answer = form.model_validate_json(await self._post(body))
        except BaseException as error:
            raise self._noted(error) from error
        self._breaker.succeeded()
        self._count("answered")
        return answer

    async def _post(self, body: Any) -> bytes:
        content = bytearray()
        async with self._client.stream("POST", self._url, json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise self._refused(response)
            async for part in response.aiter_bytes():
                content += part
                if len(content) > MAX_ANSWER_BYTES:
                    raise self._error(502, f"gave an answer of more than {MAX_ANSWER_BYTES} bytes.")
        return bytes(content)

    def _noted(self, error: BaseException) -> BaseException:
        """Count a failure, and turn it into what it means for the client."""
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
            return self._error(504, "did not answer in time.", transient=True)
        if isinstance(error, httpx.NetworkError):
            return self._error(503, "can't be reached.", transient=True)
        if isinstance(error, ValidationError | httpx.HTTPError):
            return self._error(502, "gave an answer that can't be used.", transient=True)
        return error

    def _refused(self, response: httpx.Response) -> UsageError | UpstreamError:
        status = response.status_code
        if status in self._refusals:
            return UsageError(f"{self._name} {self._refusals[status]}")
        if status in (429, 503):
            return self._error(
                503,
                f"takes no more requests for now (status {status}).",
                transient=True,
                retry_after=parse_retry_after(response.headers.get("retry-after")),
            )
        return self._error(502, f"failed with status {status}.", transient=status >= 500)

    def _error(
        self,
        status: Literal[502, 503, 504],
        reason: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> UpstreamError:
        return UpstreamError(
            status, self._name, reason, transient=transient, retry_after=retry_after
        )

    def deadline_exceeded(self) -> UpstreamError:
        """What it means that the calls for a request took too long together."""
        return self._error(
            504, f"did not answer within {self._settings.deadline_seconds:g} seconds."
        )

    def _count(self, outcome: str) -> None:
        self._calls.labels(self._label, outcome).inc()
