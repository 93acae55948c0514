"""The server process: listens, serves until SIGTERM, drains."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import select
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import uvloop
from starlette.applications import Starlette

from mesh.core.errors import MeshError
from mesh.core.process import abandon_computations
from mesh.core.tracing import tracing
from mesh.serve.addresses import base_url, create_listener, with_port
from mesh.serve.app import create_app
from mesh.serve.availability import Availability
from mesh.serve.hosts import allowed_hosts
from mesh.serve.middleware import Traffic
from mesh.serve.model import ServedModel
from mesh.serve.settings import BACKLOG, ServeSettings

logger = logging.getLogger(__name__)

LOOP_TURNS = 20
"""Turns of the event loop in which a connection becomes a request."""

OBJECTS_UNTIL_SEARCH = 10_000
"""How many more objects there are before Python searches them for garbage.

The requests in progress have thousands, which are in use. By Python's own number, 700, each wave of
requests would have them searched through in vain.
"""

ServeUntil = Callable[
    [
        Callable[[], Awaitable[None]],
        Starlette,
        ServeSettings,
        Sequence[socket.socket],
        ssl.SSLContext | None,
    ],
    Awaitable[None],
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
    gc.set_threshold(OBJECTS_UNTIL_SEARCH, *gc.get_threshold()[1:])
    try:
        tls = _tls(settings)
        with tracing(f"{model.name}-serve"), _listening(settings) as listeners:
            uvloop.run(_run(model, settings, listeners, tls))
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


@contextlib.contextmanager
def _listening(settings: ServeSettings) -> Iterator[list[socket.socket]]:
    """Listen on the server's port, and on that of what is inspected, if it has one."""
    ports = [port for port in (settings.port, settings.inspect_port) if port is not None]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(listen(settings, port)) for port in ports]


def listen(settings: ServeSettings, port: int) -> socket.socket:
    """Open a port of the address of a server.

    Raises:
        MeshError: another process has it, or the address isn't this machine's.
    """
    host = settings.host
    try:
        listener = create_listener(host, port, BACKLOG)
    except OSError as error:
        # Name look-ups have error numbers of their own; a socket's error text repeats the address.
        reason = (
            error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        )
        raise MeshError(
            f"The server can't listen on {with_port(host, port)} ({reason}); choose another address with "
            "--host and --port."
        ) from error
    listener.setblocking(False)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Its connections inherit it: whoever takes nothing of a response is cut off.
        milliseconds = round(settings.send_seconds * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listener


def _tls(settings: ServeSettings) -> ssl.SSLContext | None:
    """Only where it is on, it is imported."""
    if settings.tls_cert_file is None:
        return None
    from mesh.serve.access.certificates import server_context

    return server_context(settings, ["h2", "http/1.1"] if settings.http2 else ["http/1.1"])


async def _run(
    model: ServedModel,
    settings: ServeSettings,
    listeners: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
) -> None:
    # Before the log line that it serves: whoever reads that may end it.
    stop = stop_by_signal()
    host, port = listeners[0].getsockname()[:2]
    hosts = allowed_hosts(settings.allowed_hosts, settings.host, host)
    app = create_app(model, settings, hosts)
    availability: Availability = app.state.availability
    traffic: Traffic = app.state.traffic
    # Now, not with the app: files are verified while the HTTP server is imported.
    availability.start_loading()
    _warn_if_open(settings, host, port)
    logger.info("Serving %s at %s", model.name, base_url(host, port, tls=tls is not None))
    async with _renewed(tls, settings), _grpc(app, settings, host) as end_calls:
        await _serve_until_stopped(app, availability, settings, listeners, tls, stop, end_calls)
    if availability.failure:
        raise MeshError(availability.failure)
    if traffic.cut_off:
        raise MeshError(
            f"{traffic.cut_off} requests got no response within {settings.drain_seconds:g} seconds "
            "of shutting down."
        )
    logger.info("All requests are complete")


def _warn_if_open(settings: ServeSettings, host: str, port: int) -> None:
    is_loopback = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    if not (is_loopback or settings.asks_callers):
        logger.warning(
            "Whoever reaches %s is answered: the server asks for no key, token or certificate. "
            "Set SERVE_API_KEYS_FILE, SERVE_JWT_ISSUER or SERVE_TLS_CLIENT_CA_FILE, or keep it in a "
            "private network.",
            with_port(host, port),
        )


@contextlib.asynccontextmanager
async def _renewed(tls: ssl.SSLContext | None, settings: ServeSettings) -> AsyncIterator[None]:
    """Read the certificate again when it changes."""
    if tls is None:
        yield
        return
    from mesh.serve.access.certificates import renew

    task = asyncio.create_task(renew(tls, settings))
    try:
        yield
    finally:
        task.cancel()


@contextlib.asynccontextmanager
async def _grpc(
    app: Starlette, settings: ServeSettings, host: str
) -> AsyncIterator[Callable[[], None]]:
    """Serve over gRPC where it is on, which is imported only then.

    Yields:
        A function that ends it, once the calls in progress are complete.
    """
    if settings.grpc_port is None:
        yield lambda: None
        return
    from mesh.serve.grpc.server import GrpcServer

    # gRPC doesn't say why it can't listen.
    listen(settings, settings.grpc_port).close()
    server = GrpcServer(app.state.grpc, settings, host, settings.grpc_port)
    await server.start()
    logger.info("Serving gRPC at %s", with_port(host, server.port))
    try:
        yield server.end
    finally:
        await server.ended()


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
    listeners: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
    stop: asyncio.Event,
    end_calls: Callable[[], None],
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
        end_calls()

    listening = listeners[0].fileno()
    await _server(settings.server)(wait_for_stop, app, settings, listeners, tls)


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
