"""The server process: listens, serves until SIGTERM, drains."""

import asyncio
import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import uvloop
from starlette.applications import Starlette

from mesh.core.errors import MeshError
from mesh.core.process import abandon_computations
from mesh.serve.app import create_app
from mesh.serve.availability import Availability
from mesh.serve.hosts import allowed_hosts
from mesh.serve.middleware import Traffic
from mesh.serve.model import ServedModel
from mesh.serve.settings import BACKLOG, ServeSettings

logger = logging.getLogger(__name__)

LOOP_TURNS = 20
"""Turns of the event loop in which a connection becomes a request."""

ServeUntil = Callable[
    [Callable[[], Awaitable[None]], Starlette, ServeSettings, socket.socket], Awaitable[None]
]


def run_server(model: ServedModel, settings: ServeSettings) -> int:
    """Serve a model until SIGTERM or SIGINT, then complete the requests that were accepted.

    Returns:
        The process' exit code: 0 when every accepted request got its response; 1 when the port
        can't be listened on, the model can't be loaded, its threads can't go on, or requests were
        cut off after `drain_seconds`. The reason is on standard error, as a sentence.
    """
    # The end doesn't wait for a model that still loads, nor for requests that were cut off.
    abandon_computations()
    try:
        with listen(settings) as listener:
            uvloop.run(_run(model, settings, listener))
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def listen(settings: ServeSettings) -> socket.socket:
    """Open the port.

    Raises:
        MeshError: another process has it, or the address isn't this machine's.
    """
    host, port = settings.host, settings.port
    try:
        [(family, *_, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        # Name look-ups have error numbers of their own; a socket's error text repeats the address.
        reason = (
            error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        )
        raise MeshError(
            f"The server can't listen on {host}:{port} ({reason}); choose another address with "
            "--host and --port."
        ) from error
    listener.setblocking(False)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Its connections inherit it: whoever takes nothing of a response is cut off.
        milliseconds = round(settings.keep_alive_seconds * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listener


async def _run(model: ServedModel, settings: ServeSettings, listener: socket.socket) -> None:
    # Before the log line that it serves: whoever reads that may end it.
    stop = stop_by_signal()
    host, port = listener.getsockname()[:2]
    hosts = allowed_hosts(settings.allowed_hosts, settings.host, host)
    app = create_app(model, settings, hosts)
    availability: Availability = app.state.availability
    traffic: Traffic = app.state.traffic
    logger.info("Serving %s at http://%s:%d", model.name, host, port)
    await _serve_until_stopped(app, availability, settings, listener, stop)
    if availability.failure:
        raise MeshError(availability.failure)
    if traffic.cut_off:
        raise MeshError(
            f"{traffic.cut_off} requests got no response within {settings.drain_seconds:g} seconds "
            "of shutting down."
        )
    logger.info("All requests are complete")


def stop_by_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _serve_until_stopped(
    app: Starlette,
    availability: Availability,
    settings: ServeSettings,
    listener: socket.socket,
    stop: asyncio.Event,
) -> None:
    async def wait_for_stop() -> None:
        await _first_of(stop, availability.failed)
        if not availability.failure:
            logger.info("Shutting down: accepted requests are completed, then the process ends")
            availability.drain()
            # Load balancers learn from the probe. Requests that are read after it on open
            # connections get a response, too: a busy machine may have received them long before.
            await asyncio.sleep(settings.drain_delay_seconds)
            await _take_what_has_arrived(listening)

    listening = listener.fileno()
    await _server(settings.server)(wait_for_stop, app, settings, listener)


async def _take_what_has_arrived(listening: int) -> None:
    """Let the event loop accept the connections that wait, one in each turn, and read from them.

    Args:
        listening: a file descriptor. Connections that wait there are reset when it is closed.
    """
    waiting = select.poll()
    waiting.register(listening, select.POLLIN)
    for _ in range(BACKLOG):
        if not waiting.poll(0):
            break
        await asyncio.sleep(0)
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)


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
