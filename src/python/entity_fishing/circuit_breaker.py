"""Leaving a service alone that does not work."""

import math
import time

from mesh.serve.upstream import UpstreamError


class CircuitBreaker:
    """Refuses calls for a while after several failed in a row; then lets one try, and the others wait for its outcome.

    All methods must be called from one event loop.

    Args:
        service: its name, for the error message.
        failures: how many calls in a row must fail.
        seconds: for how long calls are refused then.
    """

    def __init__(self, service: str, *, failures: int, seconds: float) -> None:
        self._service = service
        self._limit = failures
        self._seconds = seconds
        self._failures = 0
        self._closed_from = -math.inf

    def check(self) -> None:
        """Ask before a call; report its outcome by `succeeded` or `failed`.

        Raises:
            UpstreamError: 503, the service is left alone.
        """
        if self._failures < self._limit:
            return
        now = time.monotonic()
        if now < self._closed_from:
            raise UpstreamError(
                503,
                self._service,
                f"failed {self._failures} times in a row and is left alone for a while.",
                retry_after=self._closed_from - now,
            )
        self._closed_from = now + self._seconds

    def succeeded(self) -> None:
        """The service answered."""
        self._failures = 0

    def failed(self) -> None:
        """The service did not answer, or not usably."""
        self._failures += 1
        self._closed_from = time.monotonic() + self._seconds
