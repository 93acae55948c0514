"""Hypercorn: HTTP/1.1, and HTTP/2 to clients that start with it, where that is on."""

import asyncio
import functools
import logging
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import hypercorn.asyncio.run
import hypercorn.protocol
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.serve.connections import Connections
from mesh.serve.hypercorn_protocol import HttpConnection, HttpProtocol
from mesh.serve.request_check import MAX_HEADER_BYTES
from mesh.serve.settings import BACKLOG, ServeSettings

PIECE_BYTES = 16 * 1024
MAX_STREAMS = 20
"""Requests of a connection of HTTP/2 at a time."""


async def serve_until(
    stopped: Callable[[], Awaitable[None]],
    app: Starlette,
    settings: ServeSettings,
    listeners: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
) -> None:
    """Serve until `stopped` returns, then complete accepted requests. Closes the listeners."""
    # Hypercorn has no settings for these.
    connections = Connections(settings.max_connections)
    hypercorn.asyncio.run.TCPServer = functools.partial(  # type: ignore[attr-defined, assignment]
        HttpConnection, connections, settings.receive_seconds
    )
    hypercorn.protocol.H11Protocol = functools.partial(HttpProtocol, settings.http2)  # type: ignore[attr-defined, assignment]
    # Hypercorn describes every kind of ASGI message, Starlette takes them as mappings.
    asgi_app = cast(ASGIFramework, _with_bounded_streams(app, settings.send_seconds))
    await serve(asgi_app, _config(settings, listeners, tls), shutdown_trigger=stopped)


def _with_bounded_streams(app: ASGIApp, seconds: float) -> ASGIApp:
    """An app whose responses to HTTP/2 wait in the server by the piece.

    A client that opens no window for a response keeps it in memory. Such a one is cut off.

    Args:
        seconds: that a piece may wait.
    """

    async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_piece(message: Message) -> None:
            try:
                async with asyncio.timeout(seconds):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        async def send_pieces(message: Message) -> None:
            body, sent = message.get("body", b""), 0
            for start in range(0, len(body) - PIECE_BYTES, PIECE_BYTES):
                piece = body[start : start + PIECE_BYTES]
                await send_piece({**message, "body": piece, "more_body": True})
                sent = start + PIECE_BYTES
            await send_piece({**message, "body": body[sent:]} if sent else message)

        is_http_2 = scope["type"] == "http" and scope["http_version"] == "2"
        await app(scope, receive, send_pieces if is_http_2 else send)

    return asgi_app


class _Config(Config):
    """Takes the context of TLS, for which Hypercorn has files alone."""

    tls: ssl.SSLContext | None = None

    @property
    def ssl_enabled(self) -> bool:
        """Whether connections speak TLS."""
        return self.tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """What TLS needs."""
        return self.tls


def _config(
    settings: ServeSettings, listeners: Sequence[socket.socket], tls: ssl.SSLContext | None
) -> Config:
    config = _Config()
    config.tls = tls
    config.ssl_handshake_timeout = settings.receive_seconds
    # Hypercorn closes them.
    config.bind = [f"fd://{listener.detach()}" for listener in listeners]
    config.backlog = BACKLOG
    config.errorlog = logging.getLogger("hypercorn.error")
    config.errorlog.setLevel(logging.WARNING)
    config.graceful_timeout = settings.drain_seconds
    # The app waits once more at most.
    config.shutdown_timeout = settings.drain_seconds + 5
    config.keep_alive_timeout = settings.keep_alive_seconds
    config.keep_alive_max_requests = sys.maxsize
    config.h11_max_incomplete_size = MAX_HEADER_BYTES
    config.h2_max_concurrent_streams = MAX_STREAMS
    config.include_server_header = False
    return config
