"""The health service of gRPC, which load balancers and orchestrators ask.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import asyncio

import grpc
import grpc.aio

from mesh.serve.availability import Availability, Phase
from mesh.serve.grpc.calls import Context
from mesh.serve.grpc.fields import read_message
from mesh.serve.grpc.messages_pb2 import HealthCheckRequest, HealthCheckResponse
from mesh.serve.grpc.names import HEALTH, SERVICE
from mesh.serve.problems import ProblemError, shorten
from mesh.serve.request_limits import SPARE_ELEMENTS

WATCH = f"/{HEALTH}/Watch"
WATCH_SECONDS = 0.5
"""Between two looks."""

MAX_WATCHERS = 50
"""Calls that may watch at a time: they take the places of others, and need no key."""

_ENDING = (Phase.DRAINING, Phase.CLOSED, Phase.FAILED)


class Health:
    """Health of the server as a whole, of the protocol, or of the model by its name."""

    def __init__(self, availability: Availability, model: str) -> None:
        self._availability = availability
        self._names = ("", SERVICE, model)
        self._watchers = 0

    def check(self, request: HealthCheckRequest) -> HealthCheckResponse:
        """Whether traffic should be sent here.

        Raises:
            ProblemError: 404, there is no such service.
        """
        response = self._response(request.service)
        if response.status == HealthCheckResponse.SERVICE_UNKNOWN:
            raise ProblemError(404, f"There is no service {shorten(request.service)!r} here.")
        return response

    def watcher(self, receive_seconds: float) -> grpc.RpcMethodHandler:
        """The handler of calls that are told of each change, until the server ends.

        Args:
            receive_seconds: within which their message must arrive.
        """

        async def watch(_: object, context: Context) -> None:
            if self._watchers >= MAX_WATCHERS:
                detail = f"{MAX_WATCHERS} calls watch already; call Check from time to time."
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, detail)
            self._watchers += 1
            try:
                await self._tell(await _request(context, receive_seconds), context)
            finally:
                self._watchers -= 1

        return grpc.stream_stream_rpc_method_handler(watch)

    async def _tell(self, request: HealthCheckRequest, context: Context) -> None:
        told = None
        while True:
            is_last = self._availability.phase in _ENDING
            response = self._response(request.service)
            if response != told:
                await context.write(response.SerializeToString())
                told = response
            if is_last:
                return
            await asyncio.sleep(WATCH_SECONDS)

    def _response(self, service: str) -> HealthCheckResponse:
        if service not in self._names:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        is_ready = self._availability.is_ready
        status = HealthCheckResponse.SERVING if is_ready else HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=status)


async def _request(context: Context, receive_seconds: float) -> HealthCheckRequest:
    """The message of a call, which ends where there is none in time."""
    try:
        async with asyncio.timeout(receive_seconds):
            message = await context.read()
        body = b"" if message is grpc.aio.EOF else message
        return read_message(HealthCheckRequest, body, SPARE_ELEMENTS)
    except (TimeoutError, ProblemError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "A HealthCheckRequest is needed.")
        raise
