"""OpenTelemetry's SDK, set up by its own variables; imported only where traces are wanted."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self
from urllib.parse import urlsplit

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers

from mesh.core.environment import code_revision
from mesh.core.errors import UsageError
from mesh.core.otel_export import BoundedProcessor, Delivery
from mesh.core.tracing import (
    ENDPOINTS,
    EXPORTER,
    NO_SPAN,
    PARENT,
    STATE,
    Attributes,
    Span,
)
from mesh.core.urls import mask_url

logger = logging.getLogger(__name__)

HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
FILES = tuple(
    f"OTEL_EXPORTER_OTLP_{signal}{name}"
    for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
    for signal in ("TRACES_", "")
)
"""The variables that name files."""
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
DEFAULT_ENDPOINT = "http://localhost:4318"
QUEUE_SIZE = "OTEL_BSP_MAX_QUEUE_SIZE"
DEFAULT_QUEUE_SIZE = 2048
FLUSH = "OTEL_BSP_EXPORT_TIMEOUT"
"""Milliseconds. The SDK itself doesn't read it."""
DEFAULT_FLUSH_MS = 5000
MAX_STATE = 512
"""Characters of `tracestate` that are read; W3C wants so many at least."""

_PROPAGATOR = TraceContextTextMapPropagator()


class Traces:
    """Makes spans, and sends them in the background.

    Attributes:
        tracer: makes them.
        delivery: counts those that are sent and dropped.
    """

    def __init__(self, provider: TracerProvider, delivery: Delivery, flush_seconds: float) -> None:
        self.tracer = provider.get_tracer("mesh")
        self.delivery = delivery
        self._provider = provider
        self._flush_seconds = flush_seconds
        parents, states = ([os.environ.get(name, "")] for name in (PARENT, STATE))
        self._started_by = remote_context(parents, states)

    def span(
        self, name: str, attributes: Attributes, *, is_call: bool
    ) -> AbstractContextManager[Span]:
        """A span below the current one, if that is recorded."""
        if not trace.get_current_span().is_recording():
            return NO_SPAN
        kind = SpanKind.CLIENT if is_call else SpanKind.INTERNAL
        return BlockSpan(self.tracer.start_span(name, kind=kind, attributes=attributes))

    def root(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """A span below the current one, or that of the process that started this one."""
        has_parent = trace.get_current_span().get_span_context().is_valid
        context = None if has_parent else self._started_by
        return BlockSpan(self.tracer.start_span(name, context, attributes=attributes))

    def ended(self, name: str, attributes: Attributes, seconds: float, failure: str) -> None:
        """A span of work that others have done."""
        started = time.time_ns() - int(seconds * 1e9)
        span = BlockSpan(self.tracer.start_span(name, attributes=attributes, start_time=started))
        with span:
            if failure:
                span.fail(failure)

    def close(self) -> None:
        """Send what is left, within a bounded time."""
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(self._flush_seconds)
        self.delivery.give_up()


class BlockSpan:
    """See `mesh.core.tracing.Span`; while it is entered, it is the current one of its task."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        contexts.detach(self._token)
        if kind is not None:
            # Messages of exceptions may have a part of a document.
            self.fail(kind.__qualname__)
        self._span.end()

    def set(self, attributes: Attributes) -> None:
        """Say more of it."""
        self._span.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        """Mark it as failed, by a kind of error."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


def start(service: str) -> Traces:
    """Set the SDK up by the variables of this process.

    Raises:
        UsageError: one of them is wrong.
    """
    # Their messages repeat members of `tracestate`, and headers with keys.
    for name in ("opentelemetry.trace", "opentelemetry.util"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    place = _checked(os.environ)
    try:
        delivery = Delivery(OTLPSpanExporter(), mask_url(place))
        provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        provider.add_span_processor(
            BoundedProcessor(delivery, _number(QUEUE_SIZE, DEFAULT_QUEUE_SIZE))
        )
    except ValueError as error:
        raise UsageError(f"The variables of OpenTelemetry (OTEL_*) are wrong: {error}") from error
    logger.info("Traces are sent to %s", mask_url(place))
    return Traces(provider, delivery, _number(FLUSH, DEFAULT_FLUSH_MS) / 1000)


def remote_context(parents: Sequence[str], states: Sequence[str]) -> Context:
    """The context that the headers `traceparent` and `tracestate` tell; empty if they are wrong.

    Baggage is not read.
    """
    if len(parents) != 1 or "tracecontext" not in os.environ.get(
        "OTEL_PROPAGATORS", "tracecontext"
    ):
        return Context()
    carrier = {"traceparent": parents[0]}
    state = ",".join(states)
    if 0 < len(state) <= MAX_STATE:
        carrier["tracestate"] = state
    return _PROPAGATOR.extract(carrier, Context())


@contextlib.contextmanager
def entered(context: Context) -> Iterator[None]:
    """Have the block in a context."""
    token = contexts.attach(context)
    try:
        yield
    finally:
        contexts.detach(token)


def _checked(environment: Mapping[str, str]) -> str:
    """The address of the collector.

    Raises:
        UsageError: what the SDK would only log, or not tell at all.
    """
    exporter = environment.get(EXPORTER) or "otlp"
    if exporter.strip() != "otlp":
        raise UsageError(f"{EXPORTER}={exporter}: only otlp and none are known here.")
    for name in PROTOCOLS:
        if environment.get(name, PROTOCOL).strip() not in ("", PROTOCOL):
            raise UsageError(
                f"{name}={environment[name]}: traces are sent by {PROTOCOL} only, mostly to port 4318 "
                "of a collector."
            )
    for name in HEADERS:
        for part in environment.get(name, "").split(","):
            if part.strip() and not parse_env_headers(part, liberal=True):
                raise UsageError(
                    f"{name} is malformed: it is name=value, URL-encoded, several separated by commas."
                )
    _check_files(environment)
    name = next((name for name in ENDPOINTS if environment.get(name)), ENDPOINTS[-1])
    place = environment.get(name) or DEFAULT_ENDPOINT
    if urlsplit(place).scheme not in ("http", "https") or not urlsplit(place).netloc:
        raise UsageError(f"{name} is no http:// or https:// address.")
    return place


def _check_files(environment: Mapping[str, str]) -> None:
    for name in FILES:
        if path := environment.get(name):
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                raise UsageError(f"{name}={path} can't be read: {error.strerror}.") from error


def _resource(service: str) -> Resource:
    """What sends the spans: by the environment, else the program's name and the code's revision."""
    found = Resource.create().attributes
    given = dict(found)
    if str(found[SERVICE_NAME]).startswith("unknown_service"):
        del given[SERVICE_NAME]
    return Resource({SERVICE_NAME: service, SERVICE_VERSION: code_revision(), **given})


def _number(name: str, default: int) -> int:
    """A positive number in a variable.

    Raises:
        UsageError: it is none.
    """
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
        raise UsageError(f"{name}={text:.40} is no number above 0.")
    return int(text[:10])
