"""Uvicorn with httptools: HTTP/1.1."""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from mesh.serve.connections import Connections
from mesh.serve.settings import BACKLOG, ServeSettings
from mesh.serve.timers import Timers
from mesh.serve.uvicorn_protocol import HttpProtocol


async def serve_until(
    stopped: Callable[[], Awaitable[None]],
    app: Starlette,
    settings: ServeSettings,
    listeners: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
) -> None:
    """Serve until `stopped` returns, then complete accepted requests. Closes the listeners."""

    async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
        # Uvicorn would log a traceback of a request that is cancelled past the drain time.
        # The app has sent its response.
        try:  # noqa: SIM105 - a context takes longer
            await app(scope, receive, send)
        except asyncio.CancelledError:
            pass

    config = Config(
        asgi_app,
        http=functools.partial(  # type: ignore[arg-type]
            HttpProtocol,
            Connections(settings.max_connections),
            Timers(settings.keep_alive_seconds, HttpProtocol.timeout_keep_alive_handler),
            Timers(settings.receive_seconds, HttpProtocol.timeout_keep_alive_handler),
        ),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
    )
    # Seconds for a timer of asyncio, which takes fractions, though it is declared as an integer.
    config.timeout_graceful_shutdown = settings.drain_seconds  # type: ignore[assignment]
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = _Server(config, tls, settings.receive_seconds)

    async def stop() -> None:
        await stopped()
        server.should_exit = True

    stopping = asyncio.create_task(stop())
    try:
        await server.serve(sockets=list(listeners))
    finally:
        stopping.cancel()


class _Server(Server):
    """Has the handshakes of TLS end in time, for which Uvicorn has no setting."""

    def __init__(self, config: Config, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(config)
        self._tls = tls
        self._handshake_seconds = seconds if tls else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets."""
        await super().startup(sockets=[])
        loop = asyncio.get_running_loop()
        for each in sockets or []:
            server = await loop.create_server(
                self._protocol,
                sock=each,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake_seconds,
                backlog=BACKLOG,
            )
            self.servers.append(server)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        made: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the caller says when to stop."""
        yield
