"""The REST API: predictions, the model's bio, probes, metrics."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mesh.core.precisions import Precision
from mesh.serve.availability import Availability
from mesh.serve.media_types import OPENMETRICS, PLAIN, prefers
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.predict import Predictor, require_model


class Live(BaseModel):
    """The process responds."""

    live: bool


class Ready(BaseModel):
    """The model responds."""

    ready: bool


class Bio(BaseModel):
    """A description of the model.

    Args:
        runs_on: what its network runs on, as the backend calls it, the preferred device first;
            empty where code is the model, or another service.
        precision: what it computes in; None there.
    """

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_card: dict[str, Any]
    runs_on: tuple[str, ...] = ()
    precision: Precision | None = None


class Api:
    """The handlers of the REST API.

    Attributes:
        predict: the route of predictions.
    """

    def __init__(
        self,
        model: ServedModel,
        availability: Availability,
        predictor: Predictor,
        metrics: Metrics,
    ) -> None:
        self._model = model
        self._availability = availability
        self.predict = Route("/v1/model/{name}/predict", predictor, methods=["POST"])
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """All paths and their handlers."""
        return [
            self.predict,
            Route("/", self.index),
            Route("/v1/live", self.live),
            Route("/v1/ready", self.ready),
            Route("/v1/model/{name}/bio", self.bio),
            Route("/metrics", self.metrics),
        ]

    async def index(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """The paths of everything."""
        name = self._model.name
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
        self._availability.require_ready()
        return _json(Ready(ready=True))

    async def bio(self, request: Request) -> Response:
        """Model metadata."""
        require_model(request.path_params["name"], self._model)
        return _json(
            Bio.model_validate(
                {
                    **self._model.bio(),
                    "runs_on": self._availability.runs_on,
                    "precision": self._availability.precision,
                }
            )
        )

    async def metrics(self, request: Request) -> Response:
        """Measurements in Prometheus' format."""
        accept = ",".join(request.headers.getlist("accept"))
        content, media_type = self._metrics.render(
            as_openmetrics=prefers(accept, OPENMETRICS, PLAIN)
        )
        return Response(content, headers={"Content-Type": media_type})


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")
