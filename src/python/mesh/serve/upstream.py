"""Other services that a model asks: how their failures are answered, when they are asked again, and where they run."""

import asyncio
import math
import re
import threading
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

import tenacity

from mesh.serve.problems import ProblemError

Result = TypeVar("Result")

FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 8
_DELAY_SECONDS = re.compile(r"[0-9]{1,9}")


class UpstreamError(ProblemError):
    """Another service failed; the client gets the status and a sentence that names the service.

    Args:
        status: 502 for a wrong answer, 503 for none or a refusal for now, 504 for one that takes too long.
        service: its name, such as "The chat endpoint llm.example.org"; begins the sentence.
        reason: the rest of the sentence, without what the service said.
        transient: whether asking again may help.
        retry_after: seconds that the service wants to be left alone for.
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


def parse_retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3); none where it is missing, a date, or rubbish."""
    return float(header) if header and _DELAY_SECONDS.fullmatch(header) else None


def retrying(*, attempts: int, seconds: float) -> tenacity.AsyncRetrying:
    """Retries of an async call that raises `UpstreamError`: `async for attempt in retrying(...): with attempt: ...`.

    Between two attempts it waits as long as the service asks, else longer each time, with jitter. It gives up when the
    wait would not end in time; the last error is raised then.

    Args:
        attempts: how often to ask at most.
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
    """What the service asks for, else an exponential back-off."""

    def __init__(self) -> None:
        super().__init__(
            multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS
        )

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            return error.retry_after
        return super().__call__(retry_state)


class EventLoop:
    """An event loop in a thread of its own, for the async clients of a model that computes in threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that an answer that nobody waits for doesn't keep the process from ending.
        threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine there and wait for it; many threads may do so at the same time."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
