"""The ASGI app of a model."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from mesh.core.tracing import current
from mesh.serve.api import Api
from mesh.serve.availability import Availability
from mesh.serve.computation import compute, passes
from mesh.serve.docs_page import docs_routes
from mesh.serve.hosts import ANY_HOST, AllowedHosts
from mesh.serve.inference import Dispatcher
from mesh.serve.inference_protocol import InferenceProtocol
from mesh.serve.inference_service import InferenceService
from mesh.serve.lingering import LingeringClose
from mesh.serve.metrics import Metrics
from mesh.serve.middleware import AccessMiddleware, Traffic
from mesh.serve.model import ServedModel
from mesh.serve.openapi import openapi_route
from mesh.serve.predict import Predictor
from mesh.serve.problems import ProblemError, handle_http_exception, handle_problem
from mesh.serve.request_check import RequestCheck
from mesh.serve.settings import ServeSettings
from mesh.serve.shortcut import Shortcut

if TYPE_CHECKING:
    from mesh.serve.access.setup import Access
    from mesh.serve.prediction_log.log import PredictionLog
    from mesh.serve.traces import ServerTraces


def create_app(
    model: ServedModel,
    settings: ServeSettings,
    hosts: AllowedHosts = ANY_HOST,
    inspect_port: int | None = None,
) -> Starlette:
    """Make the app; any ASGI server with lifespan support can run it.

    The model is loaded in the background when the app starts, so that the liveness probe responds
    at once. The app's `Availability`, `Dispatcher` and `Traffic` are in `app.state`, under these
    names in lower case, and what is served over gRPC as `grpc`, if it is.

    Args:
        hosts: those that requests may be sent to.
        inspect_port: the port of what is inspected, where it isn't that of the settings.

    Raises:
        UsageError: a file of keys, or the folder of the log of predictions, can't be used.
    """
    metrics = Metrics(model.name)
    for collector in model.collectors:
        metrics.registry.register(collector)
    traces = _traces(metrics)
    log = _prediction_log(model, settings, metrics)
    dispatcher = Dispatcher(
        functools.partial(compute, model, observe=log.offer if log else None),
        metrics,
        threads=settings.threads,
        queue_size=settings.queue_size,
        max_batch=settings.max_batch,
        wait_seconds=settings.batch_wait_ms / 1000,
        passes=functools.partial(passes, model),
        long_alone=model.computes_here,
        deadline_seconds=settings.deadline_seconds,
        stuck_seconds=settings.stuck_seconds,
        traces=traces.batches if traces else None,
    )
    availability = Availability(model, dispatcher, metrics, settings.placement)
    predictor = Predictor(model, availability, dispatcher, metrics, settings)
    service = InferenceService(model, availability, settings.queue_size)
    traffic = Traffic()
    access = _access(settings, metrics, inspect_port)
    metrics.in_progress.set_function(lambda: traffic.count)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Starlette passes it
        dispatcher.start(availability.fail)
        if access:
            access.start()
        if log:
            log.start()
        availability.start_loading()
        try:
            yield
        finally:
            availability.refuse()
            # Servers wait for their connections, but stop waiting for all when one of them fails.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(traffic.idle.wait(), settings.drain_seconds)
            dispatcher.close()
            if access:
                access.close()
            if log:
                await asyncio.to_thread(log.close)

    api = Api(model, availability, predictor, metrics)
    first = access.first if access else []
    then = [
        *(traces.middleware if traces else ()),
        Middleware(AccessMiddleware, availability=availability, traffic=traffic, metrics=metrics),
        Middleware(RequestCheck, hosts=hosts),
        *(access.last if access else ()),
    ]
    app = Starlette(
        routes=[
            *api.routes(),
            *InferenceProtocol(service, availability, predictor).routes(),
            openapi_route(model, needs_credentials=settings.needs_credentials),
            *docs_routes(model.name),
        ],
        middleware=[
            *first,
            Middleware(LingeringClose),
            *then,
            Middleware(Shortcut, route=api.predict, parameters={"name": model.name}),
        ],
        exception_handlers={ProblemError: handle_problem, HTTPException: handle_http_exception},
        lifespan=lifespan,
    )
    # A redirect to another spelling of the path would be built from the client's Host header.
    app.router.redirect_slashes = False
    app.state.availability = availability
    app.state.dispatcher = dispatcher
    app.state.traffic = traffic
    if settings.grpc_port is not None:
        from mesh.serve.grpc.app import grpc_app

        app.state.grpc = grpc_app(service, availability, predictor, [*first, *then])
    return app


def _prediction_log(
    model: ServedModel, settings: ServeSettings, metrics: Metrics
) -> "PredictionLog | None":
    if settings.prediction_log_dir is None:
        return None
    from mesh.serve.prediction_log.log import PredictionLog

    return PredictionLog(settings.prediction_log_dir, model, settings, metrics.registry)


def _access(settings: ServeSettings, metrics: Metrics, inspect_port: int | None) -> "Access | None":
    if not settings.needs_access:
        return None
    from mesh.serve.access.setup import Access

    return Access(settings, metrics.registry, inspect_port or settings.inspect_port)


def _traces(metrics: Metrics) -> "ServerTraces | None":
    if (traces := current()) is None:
        return None
    from mesh.serve.traces import ServerTraces

    return ServerTraces(traces, metrics.registry)
