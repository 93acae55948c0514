"""The bodies of requests: bounded one by one, and over all connections together."""

import asyncio
from collections.abc import Mapping
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from mesh.serve.json_elements import ElementCounter
from mesh.serve.problems import FullError, ProblemError
from mesh.serve.request_limits import Extent

SMALL_BYTES = 64 * 1024
"""Bodies up to this size find room where larger ones don't."""

SHARE_OF_SMALL = 1 / 16
"""Of all bytes in flight: what is kept for small bodies."""


class BytesInFlight:
    """The bytes of bodies that the server holds, from their arrival until the response.

    When there is no more room, the largest of the bodies that are still arriving gives way, so that
    slow senders don't keep others out.

    Attributes:
        count: the bytes now.
    """

    def __init__(self, limit: int) -> None:
        self.count = 0
        self._limit = limit
        self._arriving: set[Body] = set()

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
        """Let a body give way to others while it arrives."""
        self._arriving.add(body)

    def end(self, body: "Body") -> None:
        """Note that a body arrives no more."""
        self._arriving.discard(body)

    def remove(self, body: "Body") -> None:
        """Count the bytes of a body no more."""
        self.count -= body.size
        body.size = 0
        self._arriving.discard(body)


class Body:
    """The body of one request; its bytes count until the end of the `with` block.

    Attributes:
        size: the bytes that count.

    Args:
        seconds: from now on, until it must have arrived.
        json_bytes: how many bytes of it are JSON, whose elements count; None if all are.
    """

    def __init__(
        self, flight: BytesInFlight, limits: Extent, seconds: float, json_bytes: int | None = None
    ) -> None:
        self.size = 0
        self._flight = flight
        self._limits = limits
        self._seconds = seconds
        self._json_bytes = json_bytes
        self._timeout = asyncio.timeout(seconds)
        self._pieces: list[bytes] = []
        self._gave_way = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flight.remove(self)

    def give_way(self) -> None:
        """Drop what has arrived, and end reading with status 503."""
        self._gave_way = True
        self._pieces.clear()
        self._flight.remove(self)
        self._timeout.reschedule(0)

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Read it, holding no more than is allowed.

        Raises:
            ProblemError: 400 when its length is malformed, 408 when it doesn't arrive in time, 413
                when it is too large, 422 when it has too many elements, 503 when there is no room.
            ClientDisconnect: the client left.
        """
        self._check_length(headers.get(b"content-length", b"0"))
        try:
            self._flight.begin(self)
            async with self._timeout:
                await self._receive(receive)
        except TimeoutError:
            if self._gave_way:
                raise _no_room() from None
            detail = f"The body did not arrive within {self._seconds:g} seconds."
            raise ProblemError(408, detail) from None
        finally:
            self._flight.end(self)
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def _check_length(self, declared: bytes) -> None:
        if not declared.isdigit():
            raise ProblemError(400, "The header Content-Length is not a number.")
        # Its digits are compared first: converting millions of them would take long.
        digits = len(declared.lstrip(b"0"))
        if digits > len(str(self._limits.bytes)) or int(declared) > self._limits.bytes:
            raise self._too_large()

    async def _receive(self, receive: Receive) -> None:
        counter = ElementCounter()
        is_complete = False
        while not is_complete:
            message = await receive()
            if self._gave_way:
                raise TimeoutError
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            if self.size + len(piece) > self._limits.bytes:
                raise self._too_large()
            begin = self.size
            self._flight.add(self, len(piece))
            self._pieces.append(piece)
            if self._json_bytes is not None:
                piece = piece[: max(0, self._json_bytes - begin)]
            counter.add(piece)
            if counter.count > self._limits.elements:
                raise ProblemError(
                    422,
                    f"The body has more than {self._limits.elements:,} elements, as many as the "
                    "largest request that is accepted.",
                )
            is_complete = not message.get("more_body", False)

    def _too_large(self) -> ProblemError:
        return ProblemError(
            413, f"The body is larger than {self._limits.bytes} bytes; send less at once."
        )


def _no_room() -> ProblemError:
    return FullError("The server holds as many bytes of requests as it accepts; try again later.")
