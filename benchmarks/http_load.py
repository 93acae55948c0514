"""HTTP/1.1 load from one event loop: closed (clients that wait) or open (a rate).

It times each request, and is kept small, since a client takes CPU time from the server under test.
"""

import asyncio
import itertools
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

from mesh.core.errors import MeshError

MAX_CONNECTIONS = 1000
PROBE_SECONDS = 0.5
LIVE = b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Response:
    """The outcome of one request.

    Attributes:
        request: its index in the list of requests.
        seconds: from its sending (open: from its due time) to the end of the response.
        retry_after: whether the response has this header.
    """

    request: int
    seconds: float
    status: int
    retry_after: bool
    body: bytes


@dataclass(frozen=True)
class Run:
    """All responses, and the time that they took."""

    responses: list[Response]
    seconds: float

    @property
    def rate(self) -> float:
        """Responses per second."""
        return len(self.responses) / self.seconds

    def percentile(self, fraction: float) -> float:
        """The time, in seconds, within which this fraction of the responses arrived."""
        return percentile([response.seconds for response in self.responses], fraction)


def percentile(times: Sequence[float], fraction: float) -> float:
    """The time that this fraction of the times don't exceed (nearest rank); NaN without times."""
    if not times:
        return float("nan")
    return sorted(times)[max(0, -int(-fraction * len(times) // 1) - 1)]


def post(path: str, body: bytes) -> bytes:
    """A request as bytes."""
    header = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


def closed_loop(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Run:
    """Load by clients that wait for each response; they take the requests in turn."""
    return uvloop.run(_closed_loop(port, requests, itertools.count(), clients, seconds))


def each_once(port: int, requests: Sequence[bytes], *, clients: int) -> Run:
    """Load by clients that wait for each response, until each request was sent once."""
    return uvloop.run(_closed_loop(port, requests, iter(range(len(requests))), clients, math.inf))


def open_loop(port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> Run:
    """Load at a rate and random times (Poisson), whatever the server does; awaits all responses."""
    return uvloop.run(_open_loop(port, requests, rate, seconds))


def open_loop_and_probe(
    port: int, requests: Sequence[bytes], *, rate: float, seconds: float
) -> tuple[Run, Run]:
    """Load as of `open_loop`, and `/v1/live` beside it, every `PROBE_SECONDS` on average."""

    async def both() -> tuple[Run, Run]:
        probe = _open_loop(port, [LIVE], 1 / PROBE_SECONDS, seconds)
        return await asyncio.gather(_open_loop(port, requests, rate, seconds), probe)

    return uvloop.run(both())


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = bytearray()
        self._response: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own class isn't derived from it.
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._response is not None and not self._response.done():
            self._response.set_exception(exc or ConnectionResetError("closed without a response"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._response is None:
            return
        header = bytes(self._received[:end]).lower()
        _, found, length = header.partition(b"\r\ncontent-length:")
        if not found:
            self._response.set_exception(
                MeshError(f"The response has no Content-Length: {header!r}.")
            )
            return
        body_end = end + 4 + int(length.partition(b"\r\n")[0])
        if len(self._received) < body_end:
            return
        body = bytes(self._received[end + 4 : body_end])
        del self._received[:]
        if b"\r\nconnection: close" in header:
            self.close()
        self._response.set_result((int(header[9:12]), header, body))

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    async def send(self, request: bytes) -> tuple[int, bytes, bytes]:
        assert self._transport is not None  # noqa: S101 - it is connected
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._response


async def _connect(port: int) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
    return connection


async def _call(
    connection: _Connection, requests: Sequence[bytes], number: int, due: float
) -> Response:
    place = number % len(requests)
    status, header, body = await connection.send(requests[place])
    seconds = time.perf_counter() - due
    return Response(place, seconds, status, b"\r\nretry-after:" in header, body)


async def _closed_loop(
    port: int, requests: Sequence[bytes], numbers: Iterator[int], clients: int, seconds: float
) -> Run:
    responses: list[Response] = []
    started = time.perf_counter()
    end = started + seconds

    async def client() -> None:
        connection = await _connect(port)
        while (now := time.perf_counter()) < end and (number := next(numbers, None)) is not None:
            if not connection.is_open:
                connection = await _connect(port)
            responses.append(await _call(connection, requests, number, now))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return Run(responses, time.perf_counter() - started)


async def _open_loop(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Run:
    responses: list[Response] = []
    idle: list[_Connection] = []
    limit = asyncio.Semaphore(MAX_CONNECTIONS)
    started = time.perf_counter()

    async def send(number: int, due: float) -> None:
        async with limit:
            while idle and not idle[-1].is_open:
                idle.pop()
            connection = idle.pop() if idle else await _connect(port)
            responses.append(await _call(connection, requests, number, due))
            idle.append(connection)

    due, number = started, 0
    async with asyncio.TaskGroup() as tasks:
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(send(number, due))
            due += random.expovariate(rate)
            number += 1
    for connection in idle:
        connection.close()
    return Run(responses, time.perf_counter() - started)
