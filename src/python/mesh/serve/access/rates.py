"""How many requests a caller may send."""

import time
from collections.abc import Callable

MAX_CALLERS = 100_000
"""Above it, the caller that was seen the longest time ago is forgotten."""

_MINUTE = 60.0


class RateLimiter:
    """Lets so many requests of a caller through at once, and as many again over a minute.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When a caller's requests are used up by the rate alone, oldest request first.
        self._until: dict[str, float] = {}

    def wait(self, caller: str, per_minute: int) -> float:
        """Count a request of a caller.

        Returns:
            Seconds until it may be sent; 0 if it may be now. Only then it is counted.
        """
        now = self._clock()
        until = max(self._until.pop(caller, now), now)
        cost = _MINUTE / per_minute
        wait = until + cost - now - _MINUTE
        # Sums of floats may be above it by their rounding.
        is_let_in = wait <= cost * 1e-6
        self._until[caller] = until + cost if is_let_in else until
        if len(self._until) > MAX_CALLERS:
            del self._until[next(iter(self._until))]
        return 0 if is_let_in else wait
