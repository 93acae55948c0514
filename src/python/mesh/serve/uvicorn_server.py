"""Uvicorn with httptools: HTTP/1.1."""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Iterator

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mesh.serve.headers import MAX_HEADER_BYTES
from mesh.serve.settings import BACKLOG, ServeSettings

UPGRADE = re.compile(rb"(?<=\r\n)upgrade:[^\r\n]*\r\n", re.IGNORECASE)


async def serve_until(
    stopped: Callable[[], Awaitable[None]],
    app: Starlette,
    settings: ServeSettings,
    listener: socket.socket,
) -> None:
    """Serve until `stopped` returns, then complete accepted requests. Closes the listener."""

    async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
        # Uvicorn would log a traceback of a request that is cancelled past the drain time.
        # The app has sent its response.
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    config = Config(
        asgi_app,
        http=BoundedHeaderProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
    )
    # Seconds for timers of asyncio, which take fractions, though they are declared as integers.
    config.timeout_keep_alive = settings.keep_alive_seconds  # type: ignore[assignment]
    config.timeout_graceful_shutdown = settings.drain_seconds  # type: ignore[assignment]
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = _Server(config)

    async def stop() -> None:
        await stopped()
        server.should_exit = True

    stopping = asyncio.create_task(stop())
    try:
        await server.serve(sockets=[listener])
    finally:
        stopping.cancel()


class BoundedHeaderProtocol(HttpToolsProtocol):
    """Bounds what Uvicorn doesn't: the time that a header may take, and what the parser holds.

    The time is that of idle connections, and counts from the connection's start or the last
    response. The parser holds headers, and what comes with a body without being a part of it: the
    sizes of chunks with their extensions, and trailers, which are dropped. An offer to change to
    another protocol, as Java's client makes it, is ignored: httptools would drop the request's
    body.
    """

    _held_bytes = 0
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_body and b"pgrade:" in data:
            data = _without_upgrade(data)
        self._held_bytes += len(data)
        super().data_received(data)
        # Counted after parsing: a piece that ends a header may hold much of the body.
        if self._held_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The header is too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._held_bytes = 0
        super()._unset_keepalive_if_required()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._held_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._held_bytes = 0
        super().on_message_complete()

    def _unset_keepalive_if_required(self) -> None:
        """Keep the timer running; Uvicorn would stop it at a header's first byte."""


def _without_upgrade(data: bytes) -> bytes:
    head, end, rest = data.partition(b"\r\n\r\n")
    return UPGRADE.sub(b"", head + end[:2]) + end[2:] + rest


class _Server(Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the caller says when to stop."""
        yield
