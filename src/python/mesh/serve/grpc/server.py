"""The server for gRPC, in the event loop of the one for HTTP."""

import asyncio
import logging
from collections.abc import Mapping

import grpc
import grpc.aio

from mesh.core.errors import MeshError
from mesh.serve.addresses import with_port
from mesh.serve.grpc.app import GrpcApp
from mesh.serve.grpc.calls import Calls
from mesh.serve.grpc.credentials import server_credentials
from mesh.serve.grpc.health import WATCH
from mesh.serve.request_check import MAX_HEADER_BYTES
from mesh.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

MAX_STREAMS = 100
"""Calls of a connection at a time; the next ones wait in the client."""

ENDING_SECONDS = 5.0
"""In which calls that were cut off can tell so."""


class GrpcServer:
    """Serves an app over gRPC.

    Args:
        host: a numeric address.
        port: 0 takes any free one.

    Attributes:
        port: where it listens.

    Raises:
        MeshError: another process has the port.
        UsageError: a file of TLS can't be used.
    """

    def __init__(self, app: GrpcApp, settings: ServeSettings, host: str, port: int) -> None:
        self._drain_seconds = settings.drain_seconds
        self._server = grpc.aio.server(
            options=_options(settings, app.max_bytes),
            maximum_concurrent_rpcs=settings.max_connections,
        )
        self.port = self._listen(settings, with_port(host, port))
        self._calls = Calls(
            app.asgi,
            (host, self.port),
            most=max(1, settings.max_bytes_in_flight // app.max_bytes),
            send_seconds=settings.send_seconds,
        )
        self._server.add_generic_rpc_handlers(
            [
                _Handlers(
                    {
                        WATCH: app.health.watcher(settings.receive_seconds),
                        **{path: self._calls.handler(path) for path in app.paths},
                    }
                )
            ]
        )
        self._ending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()

    def end(self) -> None:
        """Accept no more calls from now on, and complete those in progress."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())

    async def ended(self) -> None:
        """Wait until all calls are complete, or cut off."""
        self.end()
        if self._ending is not None:
            await self._ending

    async def _end(self) -> None:
        stopping = asyncio.create_task(self._server.stop(self._drain_seconds + ENDING_SECONDS))
        await self._calls.drain(self._drain_seconds)
        await stopping

    def _listen(self, settings: ServeSettings, address: str) -> int:
        credentials = server_credentials(settings)
        port: int
        try:
            if credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise MeshError(
                f"The server can't listen on {address} for gRPC; choose another port with "
                "--grpc-port."
            ) from error
        return port


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds handlers by paths; gRPC refuses other ones."""

    def __init__(self, handlers: Mapping[str, grpc.RpcMethodHandler]) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a call."""
        return self._handlers.get(details.method)


def _options(settings: ServeSettings, max_bytes: int) -> list[tuple[str, int]]:
    send_milliseconds = round(settings.send_seconds * 1000)
    return [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", MAX_HEADER_BYTES),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.max_connection_idle_ms", round(settings.keep_alive_seconds * 1000)),
        ("grpc.server_handshake_timeout_ms", round(settings.receive_seconds * 1000)),
        # Streams whose messages aren't read yet get no more than the first window.
        ("grpc.http2.bdp_probe", 0),
        # Clients whose machine is gone are found out.
        ("grpc.keepalive_time_ms", send_milliseconds),
        ("grpc.keepalive_timeout_ms", send_milliseconds),
        # No message is larger in memory than it is sent: only the first algorithm, identity, is on.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        # Another process that has the port is an error.
        ("grpc.so_reuseport", 0),
    ]
