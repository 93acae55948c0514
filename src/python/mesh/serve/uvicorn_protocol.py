"""HTTP/1.1 on a connection of Uvicorn: what it leaves out."""

import asyncio
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mesh.serve.connections import Admission, Connections, client_name
from mesh.serve.request_check import (
    CERTIFICATE,
    CONTINUE,
    LINGER_SECONDS,
    MALFORMED,
    MAX_HEADER_BYTES,
    NO_METHOD,
    Headers,
    origin_form,
    probe,
)
from mesh.serve.timers import Timers


class HttpProtocol(HttpToolsProtocol):
    """Responds to malformed requests in turn, and to clients that send no more.

    Bounds the time that a header may take to arrive from its first byte on, and what the parser
    holds. Before that byte, the connection is idle. The parser holds
    headers, and what comes with a body without being a part of it: the sizes of chunks with their
    extensions, and trailers, which are dropped.

    An offer to change to another protocol, as Java's client makes it, is ignored.
    """

    _held_bytes = 0
    _in_head = False
    _in_body = False
    _is_refused = False
    _probe: asyncio.Task[None] | None = None
    _current: RequestResponseCycle | None = None
    """The request that is responded to; `cycle` is the last one that was read."""

    _timers: "Timers[HttpProtocol] | None" = None
    """Where the timer runs that closes the connection; none runs while there is a request."""

    def __init__(
        self,
        open_connections: Connections,
        idle_timers: "Timers[HttpProtocol]",
        head_timers: "Timers[HttpProtocol]",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._open_connections = open_connections
        self._idle_timers = idle_timers
        self._head_timers = head_timers
        self._moved = self.loop.time()

    @property
    def waiting_since(self) -> float | None:
        """The time since which the connection waits for its client; None if it doesn't."""
        is_idle = self.cycle is None or self.cycle.response_complete
        return self._moved if is_idle or self._in_body else None

    def drop(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._certificate = client_name(transport)
        self._close_by(self._idle_timers)
        match self._open_connections.admit(self):
            case Admission.REFUSED:
                self._refuse(503)
            case Admission.DROPPED:
                self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.remove(self)
        self._keep_open()
        if self._probe is not None:
            self._probe.cancel()
        if self._current is not None and not self._current.response_complete:
            self._current.disconnected = True
            self._current.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._moved = self.loop.time()
        self._held_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(400)
        if self._in_head and self._timers is self._idle_timers:
            self._close_by(self._head_timers)
        # Counted after parsing: a piece that ends a header may hold much of the body.
        if self._held_bytes > MAX_HEADER_BYTES:
            self._refuse(431)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays open: the client may still wait for its responses."""
        if self._in_head or self._in_body:
            self._refuse(400)
        if self.cycle is None or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        self._probe = self.loop.create_task(probe(self._write_continue))
        return True

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()
        if self._certificate is not None:
            self.scope["state"][CERTIFICATE] = self._certificate

    def on_header(self, name: bytes, value: bytes) -> None:
        # Those after a body would be taken for the request's own.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_offer():
            return
        self._in_head = False
        self._in_body = True
        self._held_bytes = 0
        normal = origin_form(self.url, self.headers)
        lacks_host = not _has_host(self.headers) and self.parser.get_http_version() == "1.1"
        if normal is None or lacks_host:
            self.scope["state"][MALFORMED] = 400
        self.url, headers = normal or (b"/", [])
        if headers is not self.headers:
            self.headers[:] = headers
        self._start_request()

    def on_body(self, body: bytes) -> None:
        self._held_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_offer():
            self._in_body = False
            self._held_bytes = 0
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request, or wait for it. Uvicorn makes a timer of its own each time."""
        self._moved = self.loop.time()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            # Of the next header, the beginning may be here already.
            self._close_by(self._head_timers if self._in_head else self._idle_timers)

    def _close_by(self, timers: "Timers[HttpProtocol]") -> None:
        """Close the connection if no complete header arrives before its timer ends."""
        self._keep_open()
        self._timers = timers
        timers.start(self)

    def _keep_open(self) -> None:
        if self._timers is not None:
            self._timers.stop(self)
            self._timers = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # The parser takes what follows for another protocol: a new one gets the header
                # without the offer.
                rest = rest[upgrade.args[0] :]
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)

    def _is_offer(self) -> bool:
        return self.parser.should_upgrade() and not self._is_refused

    def _head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if method == b"CONNECT":
            raise httptools.HttpParserError("The target is not a path.")
        lines = [b"%s %s HTTP/%s" % (method, self.url, version.encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _start_request(self) -> None:
        self._keep_open()
        super().on_headers_complete()

    def _refuse(self, status: int) -> None:
        """Respond with a problem, after the responses to earlier requests, and read no more."""
        if self._is_refused:
            return
        self._is_refused = True
        if not self._in_body:
            super().on_message_begin()
            self.url = b"/"
            self._start_request()
            self.scope["method"] = NO_METHOD
            self.scope["http_version"] = "1.1"
        self.scope["state"][MALFORMED] = status
        self.cycle.keep_alive = False
        self.cycle.transport = _LingeringTransport(self.transport, self.loop)  # type: ignore[assignment]
        self.cycle.message_event.set()

    async def _write_continue(self) -> None:
        is_next = not self.pipeline and not self.cycle.response_started
        if is_next and self.scope["http_version"] == "1.1":
            self.transport.write(CONTINUE)


def _has_host(headers: Headers) -> bool:
    for name, _ in headers:  # noqa: SIM110 - a generator would take twice as long
        if name == b"host":
            return True
    return False


class _LingeringTransport:
    """A connection that is closed for writing first.

    A socket that is closed with unread data is reset, and all data on it is lost.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self.write = transport.write
        self.is_closing = transport.is_closing

    def close(self) -> None:
        if not self._transport.is_closing():
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._loop.call_later(LINGER_SECONDS, self._transport.close)
