"""Long computations in passes, between which they may be ended or make way for others.

Code that may compute for long calls `checkpoint` several times a second, and `require_time` as soon
as it knows what the rest takes. Whoever runs it for somebody else watches it; without a watch, both
do nothing.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Protocol

from mesh.core.errors import UsageError


class AbandonedError(BaseException):
    """Nobody waits for a computation any more; no handler of an `Exception` keeps it going."""


class Watch(Protocol):
    """Whoever watches a computation."""

    @property
    def longest_seconds(self) -> float:
        """How long a part of it may take that says so before it starts."""

    def checkpoint(self, *, idle: bool) -> None:
        """Note that a pass ended; may compute something else before the next one begins.

        Args:
            idle: whether the computation waits for another one, outside of this thread.

        Raises:
            AbandonedError: nobody waits for the computation any more.
        """


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextlib.contextmanager
def watched(watch: Watch | None) -> Iterator[None]:
    """Have what the block computes in this thread watched, or by None not."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


def checkpoint(*, idle: bool = False) -> None:
    """End a pass and begin the next one; call it where no lock is held. It costs next to nothing.

    Args:
        idle: whether the computation waits for another one, outside of this thread.

    Raises:
        AbandonedError: nobody waits for the computation any more.
    """
    if (watch := _WATCH.get()) is not None:
        watch.checkpoint(idle=idle)


def require_time(seconds: float, work: str, *, tolerance: float = 1) -> None:
    """Check that what is about to be computed may take its time.

    Args:
        seconds: what it takes on this machine.
        work: names it with its extent, such as "180,000 tokens".
        tolerance: how many times as long it may take here, where it isn't known in full.

    Raises:
        UsageError: it would take too long.
    """
    watch = _WATCH.get()
    if watch is not None and seconds > tolerance * watch.longest_seconds:
        raise UsageError(
            f"This server needs about {seconds:,.0f} seconds for {work}, more than the "
            f"{watch.longest_seconds:g} that a request may take: send fewer or shorter documents."
        )
