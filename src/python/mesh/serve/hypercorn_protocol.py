"""HTTP/1.1 on a connection of Hypercorn: what it leaves out."""

import asyncio
import contextlib
from typing import Any

import h11
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Body
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.typing import ConnectionState, LifespanState

from mesh.serve.connections import Admission, Connections, client_name
from mesh.serve.request_check import (
    CERTIFICATE,
    CONTINUE,
    LINGER_SECONDS,
    MALFORMED,
    NO_METHOD,
    origin_form,
    probe,
)


class HttpConnection(TCPServer):
    """Tells its protocol when the client sends no more, and is closed by it.

    A header must arrive within a time from its first byte on. Before that byte, the connection is
    idle.
    """

    def __init__(self, open_connections: Connections, receive_seconds: float, *args: Any) -> None:
        super().__init__(*args)
        self._open_connections = open_connections
        self._receive_seconds = receive_seconds
        self._in_head = False
        name = client_name(self.writer.transport)
        if name is not None:
            self.state = LifespanState({**self.state, CERTIFICATE: name})
        self._moved = self.loop.time()

    @property
    def waiting_since(self) -> float | None:
        """The time since which the connection waits for its client; None if it doesn't."""
        http = self.protocol.protocol
        waits = http.waits if isinstance(http, HttpProtocol) else getattr(http, "idle", False)
        return self._moved if waits else None

    @property
    def _refuses(self) -> bool:
        """Whether the client gets an error as its last response, and the reading task closes."""
        http = self.protocol.protocol
        is_malformed = isinstance(http, HttpProtocol) and http.refuses
        return is_malformed or self._admission is Admission.REFUSED

    def drop(self) -> None:
        """Close the connection at once."""
        self.writer.transport.abort()

    async def run(self) -> None:
        self._admission = self._open_connections.admit(self)
        if self._admission is Admission.DROPPED:
            self.drop()
            return
        try:
            await super().run()
        finally:
            self._open_connections.remove(self)

    async def protocol_send(self, event: Event) -> None:
        self._moved = self.loop.time()
        if isinstance(event, Closed) and self._refuses:
            return
        try:
            await super().protocol_send(event)
        except OSError:
            # The client took nothing for so long that the system closed the connection.
            await self.protocol.handle(Closed())

    async def _read_data(self) -> None:
        http = self.protocol.protocol
        if self._admission is Admission.REFUSED and isinstance(http, HttpProtocol):
            await http.refuse(503)
        data = None
        while data != b"" and not self._refuses:
            try:
                data = await self.reader.read(MAX_RECV)
            except OSError:
                break
            self._moved = self.loop.time()
            await self.protocol.handle(RawData(data))
            await self._time_head()
        if self._refuses:
            await self._linger()
        await self.protocol.handle(Closed())
        await self._close()

    async def _time_head(self) -> None:
        """Close the connection after a while, if what was read is the beginning of a header."""
        http = self.protocol.protocol
        in_head = isinstance(http, HttpProtocol) and http.in_head
        if in_head and not self._in_head:
            await self.idle_task.restart(self._task_group, self._head_timeout)
        self._in_head = in_head

    async def _head_timeout(self) -> None:
        await asyncio.sleep(self._receive_seconds)
        await asyncio.shield(self._initiate_server_close())

    async def _linger(self) -> None:
        """Discard what the client still sends, so that it gets its response.

        A socket that is closed with unread data is reset, and all data on it is lost.
        """
        with contextlib.suppress(OSError):
            if self.writer.can_write_eof():
                self.writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while await self.reader.read(MAX_RECV):
                    pass


class HttpProtocol(H11Protocol):
    """Responds to malformed requests as the app does, and to clients that send no more.

    Offers to change to another protocol are ignored, but that of HTTP/2 where that is on.

    Args:
        http2: whether it is.
    """

    def __init__(self, http2: bool, *args: Any) -> None:
        super().__init__(*args)
        self._http2 = http2
        self.refuses = False
        self._version = b""
        self._answered = asyncio.Event()
        self.connection = _Parser(h11.SERVER, self.config.h11_max_incomplete_size)

    @property
    def waits(self) -> bool:
        """Whether the next thing to happen is that the client sends something."""
        return self.stream is None or self.connection.their_state is h11.SEND_BODY

    @property
    def in_head(self) -> bool:
        """Whether a header has begun to arrive."""
        return self.stream is None and self.connection.trailing_data[0] != b""

    async def refuse(self, status: int) -> None:
        """Respond to a client that hasn't sent anything."""
        await self._send_error_response(status)

    async def handle(self, event: Event) -> None:
        await super().handle(event)
        has_ended = isinstance(event, RawData) and not event.data
        if has_ended and self.stream is not None:
            probing = asyncio.create_task(probe(self._write_continue))
            try:
                await self._answered.wait()
            finally:
                probing.cancel()

    async def _check_protocol(self, event: h11.Request) -> None:
        if self._http2:
            await super()._check_protocol(event)

    async def _create_stream(self, request: h11.Request) -> None:
        self._answered.clear()
        self._version = request.http_version
        normal = origin_form(request.target, list(request.headers))
        # Hypercorn would write it in capitals.
        if normal is None or not request.method.isupper():
            await self._create_malformed(400)
            return
        target, headers = normal
        kept = [header for header in headers if header[0] != b"upgrade"]
        if target != request.target or len(kept) < len(headers):
            request = h11.Request(
                method=request.method, target=target, headers=kept, http_version=self._version
            )
        await super()._create_stream(request)

    async def _create_malformed(self, status: int) -> None:
        # Of the connection's requests this is the last.
        state = {**self.connection_state, MALFORMED: status}
        self.connection_state = ConnectionState(state)
        request = h11.Request(method=NO_METHOD, target="/", headers=[], http_version="1.0")
        await super()._create_stream(request)

    async def _send_error_response(self, status_code: int) -> None:
        self.refuses = True
        self._answered.clear()
        if self.stream is None:
            await self._create_malformed(status_code)
        elif isinstance(self.stream, HTTPStream):
            self.stream.scope["state"][MALFORMED] = status_code
            await self.stream.handle(Body(stream_id=STREAM_ID, data=b""))
        await self._answered.wait()

    async def _close_stream(self) -> None:
        await super()._close_stream()
        self._answered.set()

    async def _write_continue(self) -> None:
        is_next = self.connection.our_state is h11.SEND_RESPONSE
        if is_next and self._version == b"1.1":
            await self.send(RawData(data=CONTINUE))


class _Parser(h11.Connection):
    """Ignores what follows the last request of a connection, which h11 takes for a mistake in it."""

    def receive_data(self, data: bytes) -> None:
        if self.their_state is not h11.MUST_CLOSE:
            super().receive_data(data)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        return h11.NEED_DATA if self.their_state is h11.MUST_CLOSE else super().next_event()
