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

_ENDING = (Phase.DRAINING, Phase.CLOSED, Phase.FAILED)


class Health:
    """Health of the server as a whole, of the protocol, or of the model by its name."""

    def __init__(self, availability: Availability, model: str) -> None:
        self._availability = availability
        self._names = ("", SERVICE, model)

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
            try:
                async with asyncio.timeout(receive_seconds):
                    message = await context.read()
                body = b"" if message is grpc.aio.EOF else message
                request = read_message(HealthCheckRequest, body, SPARE_ELEMENTS)
            except (TimeoutError, ProblemError):
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, "A HealthCheckRequest is needed."
                )
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

        return grpc.stream_stream_rpc_method_handler(watch)

    def _response(self, service: str) -> HealthCheckResponse:
        if service not in self._names:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        is_ready = self._availability.is_ready
        status = HealthCheckResponse.SERVING if is_ready else HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=status)
