"""A collector of traces that speaks OTLP over HTTP, for tests of what sends them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PATIENCE = 60


@dataclass(frozen=True)
class Sent:
    """A span that has arrived.

    Args:
        links: ids of spans.
        resource: what has sent it.
    """

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    start: int
    end: int
    failed: bool
    state: str
    attributes: dict[str, Any]
    links: list[str]
    events: int
    resource: dict[str, Any]


@dataclass
class Collector:
    """What has arrived, and how the collector responds.

    Args:
        port: of 127.0.0.1.
        status: of its responses.
        headers: those of the last request.
        bodies: as they came.
        gate: responses wait for it.
    """

    port: int
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Sent] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program that sends here, soon and without patience."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "20",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5",
            "OTEL_BSP_EXPORT_TIMEOUT": "2000",
        }

    def wait_for(self, *names: str, count: int = 1) -> list[Sent]:
        """The first spans of these names, once so many of each are there."""
        self.wait_until(
            lambda: all(sum(span.name == name for span in self.spans) >= count for name in names)
        )
        return [next(span for span in self.spans if span.name == name) for name in names]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, [span.name for span in self.spans]
            time.sleep(0.01)

    def receive(self, body: bytes) -> None:
        """Take an `ExportTraceServiceRequest`."""
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            resource = _values(of_resource.resource.attributes)
            for scope in of_resource.scope_spans:
                self.spans += [_sent(span, resource) for span in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path.partition("?")[0] == "/v1/traces"
            collector.headers = {name.lower(): value for name, value in self.headers.items()}
            assert collector.gate.wait(PATIENCE)
            if collector.status < 300:
                collector.receive(body)
            content = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(server.server_address[1])
        collector.gate.set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            collector.gate.set()
            server.shutdown()


def _sent(span: Any, resource: dict[str, Any]) -> Sent:
    return Sent(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        state=span.trace_state,
        attributes=_values(span.attributes),
        links=[link.span_id.hex() for link in span.links],
        events=len(span.events),
        resource=resource,
    )


def _values(attributes: Sequence[Any]) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
