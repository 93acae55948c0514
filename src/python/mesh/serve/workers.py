"""Threads that a server can't do without: they are counted, and started again when they end."""

import asyncio
import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
MAX_FAILED_CHECKS = 10
"""In a row. Whatever ends threads that often won't go away."""


class Workers:
    """Threads that run a function, which returns when the server ends.

    Args:
        work: what each thread runs; an exception that it raises ends the thread.
        wanted: the number of threads.
        is_stuck: whether the threads, though alive, do nothing for far too long.
    """

    def __init__(
        self, work: Callable[[], None], *, wanted: int, is_stuck: Callable[[], bool]
    ) -> None:
        self._work = work
        self._wanted = wanted
        self._is_stuck = is_stuck
        self._threads: list[threading.Thread] = []
        self._failed_checks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._give_up: Callable[[str], None] = lambda _: None

    def __len__(self) -> int:
        """The number of threads that work."""
        return sum(thread.is_alive() for thread in self._threads)

    @property
    def is_complete(self) -> bool:
        """Whether as many threads work as are wanted."""
        return len(self) >= self._wanted

    def start(self, give_up: Callable[[str], None]) -> None:
        """Start the threads, and watch them on the running event loop.

        Args:
            give_up: gets the reason, as a sentence, why this process can't go on.
        """
        self._give_up = give_up
        self._start_missing()
        self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def close(self) -> None:
        """Let threads end."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        self._failed_checks = 0 if self.is_complete else self._failed_checks + 1
        if self._failed_checks >= MAX_FAILED_CHECKS:
            self._give_up("The threads that compute end again and again; the log says why.")
        elif self._is_stuck():
            self._give_up("The threads that compute are stuck in their computations.")
        else:
            self._start_missing()
            self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _start_missing(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        try:
            for _ in range(self._wanted - len(self._threads)):
                # A daemon, so that a computation past all deadlines doesn't keep the process alive.
                thread = threading.Thread(target=self._live, name="inference", daemon=True)
                thread.start()
                self._threads.append(thread)
        except RuntimeError:
            # The system has no room for it now.
            logger.exception("A thread that computes can't be started")

    def _live(self) -> None:
        try:
            self._work()
        except BaseException:
            logger.exception("A thread that computes ended; another one is started")
