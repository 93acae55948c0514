"""The ASGI app of a model."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from mesh.serve.access import AccessMiddleware, Traffic
from mesh.serve.api import Api
from mesh.serve.docs_page import docs_routes
from mesh.serve.inference import InferenceService
from mesh.serve.inference_protocol import InferenceProtocol
from mesh.serve.limits import LingeringClose
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.openapi import openapi_route
from mesh.serve.problems import ProblemError, handle_http_exception, handle_problem
from mesh.serve.settings import ServeSettings


def create_app(model: ServedModel, settings: ServeSettings) -> Starlette:
    """Make the app; any ASGI server with lifespan support can run it.

    The model is loaded in the background when the app starts, so that liveness is answered at once. Whoever runs the
    app finds its `InferenceService` in `app.state.service` and its `Traffic` in `app.state.traffic`.
    """
    metrics = Metrics(model.name)
    for collector in model.collectors:
        metrics.registry.register(collector)
    service = InferenceService(model, settings, metrics)
    traffic = Traffic()
    service.metrics.in_progress.set_function(lambda: traffic.count)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Starlette passes it
        service.start()
        try:
            yield
        finally:
            service.refuse()
            # Servers wait for their connections, but stop waiting for all when one of them fails.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(traffic.idle.wait(), settings.drain_seconds)
            service.close()

    app = Starlette(
        routes=[
            *Api(service, settings).routes(),
            *InferenceProtocol(service, settings).routes(),
            openapi_route(model),
            *docs_routes(model.name),
        ],
        middleware=[
            Middleware(LingeringClose),
            Middleware(AccessMiddleware, service=service, traffic=traffic),
        ],
        exception_handlers={ProblemError: handle_problem, HTTPException: handle_http_exception},
        lifespan=lifespan,
    )
    # A redirect to another spelling of the path would be built from the client's Host header.
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.traffic = traffic
    return app
