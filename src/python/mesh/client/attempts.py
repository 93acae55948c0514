"""The attempts of a call: what is sent, when, and when no more; how is left to the clients.

They are generators, so that the synchronous and the asynchronous client share them: each yields
what to do next, and is sent what came of it.
"""

import datetime
import email.utils
import random
import re
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from mesh.client.errors import CallError, read_problem, status_error

Result = TypeVar("Result")

FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 8.0
RETRIED = frozenset({408, 429, 503, 504})
BAD_GATEWAY = 502
"""Of a proxy whose server is away for now; a server's own 502 stays as it is."""

MAX_DIGITS = 9


@dataclass(frozen=True)
class Wait:
    """Let this time pass."""

    seconds: float


@dataclass(frozen=True)
class Send:
    """Send a request, and read the whole response unless it is a stream that begins well.

    Attributes:
        end: when the response must be there, of `time.monotonic()`.
    """

    method: str
    url: str
    end: float
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stream: bool = False

    @property
    def seconds(self) -> float:
        """How long it may still take."""
        return max(self.end - time.monotonic(), 0.001)


@dataclass(frozen=True)
class Reply:
    """A response.

    Attributes:
        content: of its body; empty for a stream, which is read from `stream`.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = b""
    stream: httpx.Response | None = None


Steps = Generator[Send | Wait, Reply | Exception | None, Result]
"""What to do, one step after the other, and the result. An exception is that of the sending."""


def attempts(send: Send, most: int) -> Steps[Reply]:
    """Send a request until there is a response other than a refusal for now.

    Between two attempts it waits as long as the server wants, else longer each time. It ends when
    that would be too late.

    Args:
        most: how often it is sent at most.

    Raises:
        CallError: the response has an error status, or there is none in time.
    """
    for number in range(1, most + 1):
        outcome = yield send
        if isinstance(outcome, Reply) and outcome.status == 200:
            return outcome
        error, is_transient, wanted = _failure(send, outcome)
        wait = _wait(number, wanted)
        if not is_transient or number == most or time.monotonic() + wait >= send.end:
            raise error
        yield Wait(wait)
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def _failure(send: Send, outcome: Reply | Exception | None) -> tuple[CallError, bool, float | None]:
    """The error of an attempt, whether another one may help, and after how many seconds."""
    if isinstance(outcome, Reply):
        is_transient = outcome.status in RETRIED or (
            outcome.status == BAD_GATEWAY and read_problem(outcome.content) is None
        )
        error = status_error(send.url, outcome.status, outcome.content)
        return error, is_transient, parse_retry_after(outcome.headers.get("retry-after"))
    if isinstance(outcome, httpx.TimeoutException | TimeoutError):
        return CallError(f"{send.url} did not respond in time."), False, None
    error = CallError(f"{send.url} can't be reached: {type(outcome).__name__}: {outcome}")
    # A malformed URL or a certificate that isn't trusted stays as it is.
    is_transient = isinstance(outcome, httpx.NetworkError | httpx.RemoteProtocolError)
    return error, is_transient and "CERTIFICATE" not in str(outcome), None


def _wait(number: int, wanted: float | None) -> float:
    """Seconds before the next attempt: never less than the server wants."""
    backoff = min(FIRST_WAIT_SECONDS * 2 ** (number - 1), LONGEST_WAIT_SECONDS)
    # Clients that were refused together don't come back together.
    jitter = random.uniform(0, FIRST_WAIT_SECONDS)  # noqa: S311 - no secret
    return (backoff if wanted is None else wanted) + jitter


def parse_retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header, RFC 9110, 10.2.3; None if it is missing or wrong."""
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}", text):
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, (date - datetime.datetime.now(date.tzinfo)).total_seconds())
    except (ValueError, OverflowError):
        return None
