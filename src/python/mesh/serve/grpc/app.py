"""The app that calls pass: the methods, behind what requests over HTTP pass as well."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware

from mesh.serve.availability import Availability
from mesh.serve.grpc.health import Health
from mesh.serve.grpc.methods import Methods
from mesh.serve.inference_service import InferenceService
from mesh.serve.predict import Predictor


@dataclass(frozen=True)
class GrpcApp:
    """The app, and what its server needs beside it.

    Attributes:
        paths: of all methods that take one message and return one.
        max_bytes: of one message.
    """

    asgi: Starlette
    paths: tuple[str, ...]
    health: Health
    max_bytes: int


def grpc_app(
    service: InferenceService,
    availability: Availability,
    predictor: Predictor,
    middleware: Sequence[Middleware],
) -> GrpcApp:
    """Make the app of a model."""
    health = Health(availability, service.name)
    routes = Methods(service, availability, predictor, health).routes()
    return GrpcApp(
        Starlette(routes=routes, middleware=middleware),
        tuple(route.path for route in routes),
        health,
        predictor.max_bytes,
    )
