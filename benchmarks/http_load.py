"""HTTP/1.1 load from one event loop, with each request's own time: closed (clients that wait) or open (a rate).

Small on purpose: what a client spends is taken from the server on the same machine.
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


@dataclass(frozen=True)
class Answer:
    """One request's outcome.

    Attributes:
        request: its place in the list of requests.
        seconds: from its sending (open: from its due time) to the end of the answer.
        retry_after: whether the answer has that header.
    """

    request: int
    seconds: float
    status: int
    retry_after: bool
    body: bytes


@dataclass(frozen=True)
class Run:
    """All answers, and how long it took to get them."""

    answers: list[Answer]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    def percentile(self, share: float) -> float:
        """The smallest time, in seconds, that at least this share of the answers took at most."""
        return percentile([answer.seconds for answer in self.answers], share)


def percentile(times: Sequence[float], share: float) -> float:
    """The smallest of the times that at least this share of them do not exceed (nearest rank); NaN without any."""
    if not times:
        return float("nan")
    return sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]


def post(path: str, body: bytes) -> bytes:
    """A request as it is sent."""
    header = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


def closed_loop(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Run:
    """As many clients, each sending its next request when it has its answer; they take the requests in turn."""
    return uvloop.run(_closed_loop(port, requests, itertools.count(), clients, seconds))


def each_once(port: int, requests: Sequence[bytes], *, clients: int) -> Run:
    """As many clients, each sending its next request when it has its answer, until each request was sent once."""
    return uvloop.run(_closed_loop(port, requests, iter(range(len(requests))), clients, math.inf))


def open_loop(port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> Run:
    """Requests at random times (Poisson arrivals) at a rate, whatever the server does; all answers are awaited."""
    return uvloop.run(_open_loop(port, requests, rate, seconds))


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own class is not derived from it.
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed without an answer"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        header = bytes(self._received[:end]).lower()
        _, found, length = header.partition(b"\r\ncontent-length:")
        if not found:
            self._answer.set_exception(MeshError(f"The answer names no length: {header!r}."))
            return
        body_end = end + 4 + int(length.partition(b"\r\n")[0])
        if len(self._received) < body_end:
            return
        body = bytes(self._received[end + 4 : body_end])
        del self._received[:]
        if b"\r\nconnection: close" in header:
            self.close()
        self._answer.set_result((int(header[9:12]), header, body))

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        assert self._transport is not None  # noqa: S101 - it is connected
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


async def _connect(port: int) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
    return connection


async def _ask(
    connection: _Connection, requests: Sequence[bytes], number: int, due: float
) -> Answer:
    place = number % len(requests)
    status, header, body = await connection.ask(requests[place])
    seconds = time.perf_counter() - due
    return Answer(place, seconds, status, b"\r\nretry-after:" in header, body)


async def _closed_loop(
    port: int, requests: Sequence[bytes], numbers: Iterator[int], clients: int, seconds: float
) -> Run:
    answers: list[Answer] = []
    started = time.perf_counter()
    end = started + seconds

    async def client() -> None:
        connection = await _connect(port)
        while (now := time.perf_counter()) < end and (number := next(numbers, None)) is not None:
            if not connection.is_open:
                connection = await _connect(port)
            answers.append(await _ask(connection, requests, number, now))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return Run(answers, time.perf_counter() - started)


async def _open_loop(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Run:
    answers: list[Answer] = []
    idle: list[_Connection] = []
    limit = asyncio.Semaphore(MAX_CONNECTIONS)
    started = time.perf_counter()

    async def ask(number: int, due: float) -> None:
        async with limit:
            while idle and not idle[-1].is_open:
                idle.pop()
            connection = idle.pop() if idle else await _connect(port)
            answers.append(await _ask(connection, requests, number, due))
            idle.append(connection)

    due, number = started, 0
    async with asyncio.TaskGroup() as tasks:
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(ask(number, due))
            due += random.expovariate(rate)
            number += 1
    for connection in idle:
        connection.close()
    return Run(answers, time.perf_counter() - started)
