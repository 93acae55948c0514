"""The REST API: probes, the model's bio, predictions, metrics."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mesh.serve.inference import InferenceService
from mesh.serve.limits import read_body, require_json
from mesh.serve.problems import ProblemError, shorten
from mesh.serve.settings import ServeSettings


class Live(BaseModel):
    """The process answers."""

    live: bool


class Ready(BaseModel):
    """The model answers."""

    ready: bool


class Bio(BaseModel):
    """What the model is."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_card: dict[str, Any]


class Api:
    """The handlers of the REST API."""

    def __init__(self, service: InferenceService, settings: ServeSettings) -> None:
        self._service = service
        self._settings = settings

    def routes(self) -> list[Route]:
        """All paths and their handlers."""
        return [
            # First, since they are tried in this order.
            Route(
                "/v1/model/{name}/predict", Predict(self._service, self._settings), methods=["POST"]
            ),
            Route("/", self.index),
            Route("/v1/live", self.live),
            Route("/v1/ready", self.ready),
            Route("/v1/model/{name}/bio", self.bio),
            Route("/metrics", self.metrics),
        ]

    async def index(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Where everything is."""
        name = self._service.model.name
        model = f"/v1/model/{name}"
        return JSONResponse(
            {
                "model": name,
                "predict": f"{model}/predict",
                "bio": f"{model}/bio",
                "docs": "/docs",
                "openapi": "/openapi.json",
                "metrics": "/metrics",
            }
        )

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Liveness probe."""
        return _json(Live(live=True))

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Readiness probe."""
        self._service.require_ready()
        return _json(Ready(ready=True))

    async def bio(self, request: Request) -> Response:
        """Model metadata."""
        require_model(request.scope, self._service)
        return _json(Bio.model_validate(self._service.model.bio()))

    async def metrics(self, request: Request) -> Response:
        """Measurements in Prometheus' format."""
        content, media_type = self._service.metrics.render(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": media_type})


class Predict:
    """Model inference.

    An ASGI app itself: the objects that Starlette makes of a request and an answer would take longer than the rest.
    """

    def __init__(self, service: InferenceService, settings: ServeSettings) -> None:
        self._service = service
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        require_model(scope, self._service)
        schema = self._service.model.request_model
        parsed = await accept(scope, receive, self._service, self._settings, schema)
        [answer] = await self._service.infer([parsed], receive)
        headers = [
            (b"content-length", str(len(answer)).encode()),
            (b"content-type", b"application/json"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def require_model(scope: Scope, service: InferenceService) -> None:
    """Check that the path names the model that is served.

    Raises:
        ProblemError: 404.
    """
    name = scope["path_params"]["name"]
    if name != service.model.name:
        raise ProblemError(
            404, f"The model {shorten(name)!r} is not served here; {service.model.name!r} is."
        )


async def accept(
    scope: Scope,
    receive: Receive,
    service: InferenceService,
    settings: ServeSettings,
    schema: type[BaseModel],
) -> Any:
    """Take in the body of a request that asks for inference: cheap checks first.

    Raises:
        ProblemError: 400, 408, 413, 415, 422 or 503.
        ClientDisconnect: the client left.
    """
    headers = dict(scope["headers"])
    require_json(headers)
    service.require_capacity()
    body = await read_body(
        headers, receive, max_bytes=settings.max_body_bytes, seconds=settings.receive_seconds
    )
    return await service.validate(schema, body)


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
