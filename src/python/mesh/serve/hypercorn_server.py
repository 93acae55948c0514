"""Hypercorn: HTTP/1.1, and HTTP/2 to clients that start with it."""

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette

from mesh.serve.headers import MAX_HEADER_BYTES
from mesh.serve.settings import BACKLOG, ServeSettings


async def serve_until(
    stopped: Callable[[], Awaitable[None]],
    app: Starlette,
    settings: ServeSettings,
    listener: socket.socket,
) -> None:
    """Serve until `stopped` returns, then complete accepted requests. Closes the listener."""
    # Hypercorn describes every kind of ASGI message, Starlette takes them as mappings.
    asgi_app = cast(ASGIFramework, app)
    await serve(asgi_app, _config(settings, listener), shutdown_trigger=stopped)


def _config(settings: ServeSettings, listener: socket.socket) -> Config:
    config = Config()
    # Hypercorn closes it.
    config.bind = [f"fd://{listener.detach()}"]
    config.backlog = BACKLOG
    config.errorlog = logging.getLogger("hypercorn.error")
    config.errorlog.setLevel(logging.WARNING)
    config.graceful_timeout = settings.drain_seconds
    # The app waits once more at most.
    config.shutdown_timeout = settings.drain_seconds + 5
    config.h11_max_incomplete_size = MAX_HEADER_BYTES
    config.h2_max_header_list_size = MAX_HEADER_BYTES
    config.keep_alive_timeout = settings.keep_alive_seconds
    config.include_server_header = False
    return config
