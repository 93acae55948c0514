"""The bodies of requests: bounded one by one, and over all connections together."""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from mesh.serve.json_elements import ElementCounter
from mesh.serve.problems import FullError, ProblemError
from mesh.serve.request_limits import Extent
from mesh.serve.timers import Timers

SMALL_BYTES = 64 * 1024
"""Bodies up to this size find room where larger ones don't."""

SHARE_OF_SMALL = 1 / 16
"""Of all bytes in flight: what is kept for small bodies."""


class BytesInFlight:
    """The bytes of bodies that the server holds, from their arrival until the response.

    When there is no more room, the largest of the bodies that are still arriving gives way, so that
    slow senders don't keep others out.

    Args:
        limit: of all bodies together.
        seconds: within which a body must arrive.

    Attributes:
        count: the bytes now.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self.count = 0
        self.seconds = seconds
        self._limit = limit
        self._arriving: set[Body] = set()
        self._timers = Timers(seconds, Body.end_late)

    @property
    def largest(self) -> int:
        """How large a single body may be."""
        return max(min(self._limit, SMALL_BYTES), self._limit - int(self._limit * SHARE_OF_SMALL))

    def add(self, body: "Body", size: int) -> None:
        """Count more bytes of a body that arrives.

        Raises:
            ProblemError: 503, there is no room for them.
        """
        room = self._limit if body.size + size <= SMALL_BYTES else self.largest
        while self.count + size > room:
            largest = max(self._arriving, key=lambda each: each.size)
            if largest.size <= body.size:
                raise _no_room()
            largest.give_way()
        self.count += size
        body.size += size

    def begin(self, body: "Body") -> None:
        """Let a body give way to others while it arrives, and end when it is late."""
        self._arriving.add(body)
        self._timers.start(body)

    def end(self, body: "Body") -> None:
        """Note that a body arrives no more."""
        self._arriving.discard(body)
        self._timers.stop(body)

    def remove(self, body: "Body") -> None:
        """Count the bytes of a body no more."""
        self.count -= body.size
        body.size = 0


class Body:
    """The body of one request; its bytes count until the end of the `with` block.

    Attributes:
        size: the bytes that count.

    Args:
        json_bytes: how many bytes of it are JSON, whose elements count; None if all are.
    """

    def __init__(
        self, flight: BytesInFlight, limits: Extent, json_bytes: int | None = None
    ) -> None:
        self.size = 0
        self._flight = flight
        self._limits = limits
        self._json_bytes = json_bytes
        self._elements = ElementCounter()
        self._pieces: list[bytes] = []
        self._is_complete = False
        self._task: asyncio.Task[Any] | None = None
        self._problem: ProblemError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flight.remove(self)

    def give_way(self) -> None:
        """Drop what has arrived, and end reading with status 503."""
        self._pieces.clear()
        self._flight.remove(self)
        self._end(_no_room())

    def end_late(self) -> None:
        """End reading with status 408."""
        detail = f"The body did not arrive within {self._flight.seconds:g} seconds."
        self._end(ProblemError(408, detail))

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Read it, holding no more than is allowed.

        Raises:
            ProblemError: 400 when its length is malformed, 408 when it doesn't arrive in time, 413
                when it is too large, 422 when it has too many elements, 503 when there is no room.
            ClientDisconnect: the client left.
        """
        self._check_length(headers.get(b"content-length", b"0"))
        # As `asyncio.timeout` does it, which takes ten times as long.
        task = self._task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        cancelling = task.cancelling()
        self._flight.begin(self)
        try:
            while not self._is_complete:
                self._take(await receive())
        except asyncio.CancelledError:
            if self._problem is not None and task.uncancel() <= cancelling:
                raise self._problem from None
            raise
        finally:
            self._flight.end(self)
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def _end(self, problem: ProblemError) -> None:
        """End reading, from outside of the task that reads."""
        assert self._task is not None  # noqa: S101 - it is being read
        self._flight.end(self)
        if self._problem is None:
            self._problem = problem
            self._task.cancel()

    def _check_length(self, declared: bytes) -> None:
        if not declared.isdigit():
            raise ProblemError(400, "The header Content-Length is not a number.")
        # Its digits are compared first: converting millions of them would take long.
        digits = len(declared.lstrip(b"0"))
        if digits > len(str(self._limits.bytes)) or int(declared) > self._limits.bytes:
            raise self._too_large()

    def _take(self, message: Message) -> None:
        """Keep the next piece, if it is within the limits."""
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece = message.get("body", b"")
        begin = self.size
        if begin + len(piece) > self._limits.bytes:
            raise self._too_large()
        self._flight.add(self, len(piece))
        self._pieces.append(piece)
        if self._json_bytes is not None:
            piece = piece[: max(0, self._json_bytes - begin)]
        self._elements.add(piece)
        if self._elements.count > self._limits.elements:
            raise ProblemError(
                422,
                f"The body has more than {self._limits.elements:,} elements, as many as the "
                "largest request that is accepted.",
            )
        self._is_complete = not message.get("more_body", False)

    def _too_large(self) -> ProblemError:
        return ProblemError(
            413, f"The body is larger than {self._limits.bytes} bytes; send less at once."
        )


def _no_room() -> ProblemError:
    return FullError("The server holds as many bytes of requests as it accepts; try again later.")
