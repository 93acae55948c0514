"""Uvicorn with httptools: HTTP/1.1."""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from mesh.serve.connections import Connections
from mesh.serve.settings import BACKLOG, ServeSettings
from mesh.serve.uvicorn_protocol import HttpProtocol


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
        http=functools.partial(HttpProtocol, Connections(settings.max_connections)),  # type: ignore[arg-type]
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


class _Server(Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the caller says when to stop."""
        yield
