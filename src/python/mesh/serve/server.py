"""The server process: listens, serves until SIGTERM, drains."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import uvloop
from starlette.applications import Starlette

from mesh.core.errors import MeshError
from mesh.core.process import abandon_computations
from mesh.serve.access import Traffic
from mesh.serve.app import create_app
from mesh.serve.inference import InferenceService
from mesh.serve.model import ServedModel
from mesh.serve.settings import BACKLOG, ServeSettings

logger = logging.getLogger(__name__)

ServeUntil = Callable[
    [Callable[[], Awaitable[None]], Starlette, ServeSettings, socket.socket], Awaitable[None]
]


def run_server(model: ServedModel, settings: ServeSettings) -> int:
    """Serve a model until SIGTERM or SIGINT, then answer what was accepted.

    Returns:
        The process' exit code: 0 when every accepted request was answered; 1 when the port can't be listened on, the
        model can't be loaded, or requests were cut off after `drain_seconds`. The reason is on standard error, as a
        sentence.
    """
    # A model that still loads, and requests that were cut off, are nobody's concern at the end.
    abandon_computations()
    try:
        with _listen(settings.host, settings.port) as listener:
            uvloop.run(_run(model, settings, listener))
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        [(family, *_, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        # Name look-ups have numbers of their own; sockets' texts repeat the address.
        reason = (
            error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        )
        raise MeshError(
            f"The server can't listen on {host}:{port} ({reason}); choose another address with --host and --port."
        ) from error
    listener.setblocking(False)
    return listener


async def _run(model: ServedModel, settings: ServeSettings, listener: socket.socket) -> None:
    # Before the log says that it serves: who reads that may end it.
    stop = _stop_by_signal()
    app = create_app(model, settings)
    service: InferenceService = app.state.service
    traffic: Traffic = app.state.traffic
    host, port = listener.getsockname()[:2]
    logger.info("Serving %s at http://%s:%d", model.name, host, port)
    await _serve_until_stopped(app, service, settings, listener, stop)
    if service.failure:
        raise MeshError(service.failure)
    if traffic.cut_off:
        raise MeshError(
            f"{traffic.cut_off} requests were not answered within {settings.drain_seconds:g} seconds of shutting down."
        )
    logger.info("All requests are answered")


def _stop_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _serve_until_stopped(
    app: Starlette,
    service: InferenceService,
    settings: ServeSettings,
    listener: socket.socket,
    stop: asyncio.Event,
) -> None:
    async def wait_for_stop() -> None:
        await _first_of(stop, service.load_failed)
        if not service.failure:
            logger.info("Shutting down: accepted requests are answered, then the process ends")
            service.drain()
            # Load balancers learn from the probe. What is read after it on open connections is answered as well: on a
            # busy machine that may be what was sent long before.
            await asyncio.sleep(settings.drain_delay_seconds)

    await _server(settings.server)(wait_for_stop, app, settings, listener)


def _server(name: str) -> ServeUntil:
    """Only the chosen one is imported."""
    if name == "hypercorn":
        from mesh.serve import hypercorn_server

        return hypercorn_server.serve_until
    from mesh.serve import uvicorn_server

    return uvicorn_server.serve_until


async def _first_of(*events: asyncio.Event) -> None:
    waiting = {asyncio.create_task(event.wait()) for event in events}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
