"""Traces by OpenTelemetry: spans of what a program does, and their context in calls of others.

The environment asks for traces, by OpenTelemetry's own variables. Where it doesn't, nothing of
OpenTelemetry is imported, and a span costs next to nothing.
"""

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, Self

logger = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
PARENT = "TRACEPARENT"
STATE = "TRACESTATE"
"""With this name in the environment, and in small letters in HTTP's headers."""

_SDK = "mesh.core.otel"
"""Named, not imported: pipelines have no OpenTelemetry. What may be traced depends on it by name."""

Attributes = Mapping[str, str | bool | int | float]
"""What is said of a span. No text of a document, no key, and nothing else that is secret."""


class Span(Protocol):
    """A span of the block that it is entered for; an exception that leaves the block fails it."""

    def set(self, attributes: Attributes) -> None:
        """Say more of it."""

    def fail(self, kind: str) -> None:
        """Mark it as failed, by a kind of error."""


class Traces(Protocol):
    """What makes and sends spans: see `mesh.core.otel`."""

    def span(
        self, name: str, attributes: Attributes, *, is_call: bool
    ) -> AbstractContextManager[Span]:
        """A span below the current one, if that is recorded."""

    def root(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """A span below the current one, or that of the process that started this one."""

    def ended(self, name: str, attributes: Attributes, seconds: float, failure: str) -> None:
        """See `ended_span`."""

    def close(self) -> None:
        """Send what is left, within a bounded time."""


class _NoSpan:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set(self, attributes: Attributes) -> None:
        pass

    def fail(self, kind: str) -> None:
        pass


NO_SPAN = _NoSpan()
_traces: Traces | None = None


def is_wanted() -> bool:
    """Whether the environment asks for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = os.environ.get(EXPORTER, "").strip().lower()
    return exporter != "none" if exporter else any(map(os.environ.get, ENDPOINTS))


@contextlib.contextmanager
def tracing(service: str) -> Iterator[Traces | None]:
    """Have what the block does traced, if the environment asks for it, and it isn't already.

    Args:
        service: the name of this program, unless the environment gives it another one.

    Raises:
        UsageError: a variable of OpenTelemetry is wrong.
    """
    global _traces
    if _traces is not None or not is_wanted():
        yield _traces
        return
    if importlib.util.find_spec(_SDK) is None:
        logger.warning("This environment has no OpenTelemetry, so no traces are sent.")
        yield None
        return
    traces = _traces = importlib.import_module(_SDK).start(service)
    try:
        yield traces
    finally:
        _traces = None
        traces.close()


def current() -> Traces | None:
    """What makes spans in this process, if it is traced."""
    return _traces


def span(
    name: str, attributes: Attributes | None = None, *, is_call: bool = False
) -> AbstractContextManager[Span]:
    """A span of a block, if it is within one that is recorded; else one that costs nothing.

    Args:
        is_call: whether the block calls another service, which gets `headers`.
    """
    return NO_SPAN if _traces is None else _traces.span(name, attributes or {}, is_call=is_call)


@contextlib.contextmanager
def program_span(name: str, attributes: Attributes | None = None) -> Iterator[Span]:
    """The span of a program, below that of the process that started it.

    Processes that the block starts continue the trace: the environment has it.
    """
    if _traces is None:
        yield NO_SPAN
        return
    with _traces.root(name, attributes or {}) as found:
        before = {key: os.environ.pop(key, None) for key in (PARENT, STATE)}
        os.environ.update({key.upper(): value for key, value in headers().items()})
        try:
            yield found
        finally:
            for key, value in before.items():
                os.environ.pop(key, None)
                os.environ.update({} if value is None else {key: value})


def ended_span(name: str, attributes: Attributes, seconds: float, failure: str = "") -> None:
    """Note a span below the current one that has ended now, of work that others have done.

    Args:
        seconds: how long it took.
        failure: the kind of its error, if it failed.
    """
    if _traces is not None:
        _traces.ended(name, attributes, seconds, failure)


def annotate(attributes: Attributes) -> None:
    """Say more of the current span, if this process is traced."""
    if _traces is not None:
        sys.modules["opentelemetry.trace"].get_current_span().set_attributes(attributes)


def annotate_version(version: str, fingerprint: str | None) -> None:
    """Say which version of data or of a model the current span, a step's, makes or uses."""
    annotate(
        {"mesh.version": version, **({"mesh.fingerprint": fingerprint} if fingerprint else {})}
    )


def headers() -> dict[str, str]:
    """The headers of W3C Trace Context for a call of another service; none without a span.

    The span may be of a program that uses OpenTelemetry by itself.
    """
    context = _context()
    propagators = os.environ.get("OTEL_PROPAGATORS") or "tracecontext"
    if context is None or "tracecontext" not in propagators:
        return {}
    found = {
        "traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    }
    if context.trace_state:
        found["tracestate"] = context.trace_state.to_header()
    return found


def ids() -> dict[str, str]:
    """The ids of the current span and its trace, as logs have them; none without a span."""
    context = _context()
    if context is None:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _context() -> Any:
    """The context of the current span; None if there is none, or nobody imported OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None
