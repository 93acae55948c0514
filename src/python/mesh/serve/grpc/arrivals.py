"""Messages that arrive: how many at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mesh.serve.problems import FullError

PATIENT_SECONDS = 1.0
"""For which a message may arrive while others wait."""


class Arrivals:
    """Bounds the messages that arrive at a time.

    gRPC holds each whole before it hands it over. Where others wait, those that arrive slowly give
    way, so that slow senders keep nobody out.

    Args:
        most: how many there may be.
    """

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)
        self._waiting = 0
        # Since when they arrive.
        self._arriving: dict[asyncio.Timeout, float] = {}

    async def read(self, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read a message once there is a place for it.

        Raises:
            FullError: it arrived slowly, and gave way.
        """
        self._waiting += 1
        try:
            if self._places.locked():
                self._hurry()
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            async with asyncio.timeout(None) as patience:
                self._arriving[patience] = asyncio.get_running_loop().time()
                if self._waiting:
                    self._hurry()
                try:
                    return await read()
                finally:
                    del self._arriving[patience]
        except TimeoutError:
            detail = "The message arrived slowly while others waited for room; try again later."
            raise FullError(detail) from None
        finally:
            self._places.release()

    def _hurry(self) -> None:
        for patience, since in self._arriving.items():
            if not patience.expired():
                patience.reschedule(since + PATIENT_SECONDS)
