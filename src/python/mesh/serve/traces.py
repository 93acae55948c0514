"""Spans of requests, and of the batches that compute them; imported only where traces are wanted.

Names and attributes of a request's span are OpenTelemetry's for servers of HTTP, or of gRPC, whose
status is told as that of HTTP:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from prometheus_client.core import CollectorRegistry, CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.core import tracing
from mesh.core.otel import BlockSpan, Traces, entered, remote_context
from mesh.core.otel_export import Delivery
from mesh.serve.jobs import Job
from mesh.serve.middleware import EXEMPLAR, METHODS, QUIET_ROUTES, SECRET, target_of
from mesh.serve.problems import TRACE_ID

_NANOSECONDS = 1_000_000_000
_SERVERS_FAULT = 500


class ServerTraces:
    """What the app of a traced server has beside that of another one.

    Args:
        registry: gets metrics of the spans.

    Attributes:
        middleware: makes the spans of requests.
        batches: makes those of batches.
    """

    def __init__(self, traces: tracing.Traces, registry: CollectorRegistry) -> None:
        assert isinstance(traces, Traces)  # noqa: S101 - mesh.core.tracing knows no other ones
        self.middleware = [Middleware(TraceMiddleware, traces=traces)]
        self.batches = BatchTraces(traces)
        registry.register(SpanCounts(traces.delivery))


class TraceMiddleware:
    """Makes a span of each request but probes and metrics, below that of the client, if it has one.

    The request's state gets the trace's id, and the exemplar of its duration if it is recorded.
    """

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._tracer = traces.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its span."""
        if scope["type"] != "http" or scope["path"] in QUIET_ROUTES:
            await self._app(scope, receive, send)
            return
        span = self._begin(scope)
        status: int | None = None

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with entered(trace.set_span_in_context(span)):
                await self._app(scope, receive, send_noted)
        finally:
            if span.is_recording():
                _end(span, scope, status)

    def _begin(self, scope: Scope) -> Span:
        named: dict[bytes, list[str]] = {b"traceparent": [], b"tracestate": []}
        for name, value in scope["headers"]:
            if name in named:
                named[name].append(value.decode("latin-1"))
        context = remote_context(named[b"traceparent"], named[b"tracestate"])
        span = self._tracer.start_span(_method(scope, "HTTP"), context, SpanKind.SERVER)
        trace_id = f"{span.get_span_context().trace_id:032x}"
        state = scope.setdefault("state", {})
        state[TRACE_ID] = trace_id
        if span.is_recording():
            state[EXEMPLAR] = {"trace_id": trace_id}
        return span


def _end(span: Span, scope: Scope, status: int | None) -> None:
    """Say what is known once the response is sent, and end the span."""
    route = getattr(scope.get("route"), "path", "")
    service, _, method = route.removeprefix("/").partition("/")
    # Calls over gRPC have a path of their own kind.
    if "." in service:
        span.update_name(f"{service}/{method}")
        known: dict[str, str | int] = {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": method,
        }
    else:
        span.update_name(f"{_method(scope, 'HTTP')} {route}".strip())
        known = _request(scope, route)
    for name, address in (("server", scope.get("server")), ("client", scope.get("client"))):
        if address:
            known[f"{name}.address"] = address[0]
            if address[1] is not None:
                known[f"{name}.port"] = address[1]
    if status is None:
        known["error.type"] = "client_left"
    else:
        known["http.response.status_code"] = status
        if status >= _SERVERS_FAULT:
            known["error.type"] = str(status)
            span.set_status(StatusCode.ERROR)
    span.set_attributes(known)
    span.end()


def _request(scope: Scope, route: str) -> dict[str, str | int]:
    return {
        "http.request.method": _method(scope, "_OTHER"),
        "url.path": SECRET.sub("***", target_of(scope)),
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
        **({"http.route": route} if route else {}),
    }


def _method(scope: Scope, other: str) -> str:
    """The method of a request, or another word, so that clients make no names."""
    method: str = scope["method"]
    return method if method in METHODS else other


class BatchTraces:
    """Makes the spans of batches, and of the time that their requests waited for them."""

    def __init__(self, traces: Traces) -> None:
        self._tracer = traces.tracer

    def submitted(self) -> Span:
        """The span of the request that is queued now."""
        return trace.get_current_span()

    def batch(self, jobs: Sequence[Job]) -> AbstractContextManager[Any]:
        """The span of a batch, which is about to be computed in this thread.

        It is below the first request that is recorded, and linked to all of them; the span `queue`
        of each is linked to the batch.
        """
        # A request may have several jobs; its first one counts.
        requests = {job.trace: job for job in reversed(jobs) if job.trace.is_recording()}
        if not requests:
            return entered(trace.set_span_in_context(jobs[0].trace))
        *_, first = requests
        now, clock = time.time_ns(), time.monotonic()
        span = self._tracer.start_span(
            "batch",
            trace.set_span_in_context(first),
            attributes={"mesh.batch.size": len(jobs)},
            links=[Link(request.get_span_context()) for request in requests],
            start_time=now,
        )
        for request, job in requests.items():
            self._tracer.start_span(
                "queue",
                trace.set_span_in_context(request),
                links=[Link(span.get_span_context())],
                start_time=now - int((clock - job.submitted) * _NANOSECONDS),
            ).end(now)
        return BlockSpan(span)


class SpanCounts(Collector):
    """Metrics of the spans that were sent and dropped."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts as they are now."""
        yield CounterMetricFamily(
            "trace_spans_sent", "Spans that the collector has taken.", value=self._delivery.sent
        )
        dropped = CounterMetricFamily(
            "trace_spans_dropped", "Spans that were lost, by reason.", labels=["reason"]
        )
        for reason, count in self._delivery.dropped.items():
            dropped.add_metric([reason], count)
        yield dropped
