"""`mesh traces`: a collector of traces on this machine, which prints them."""

import contextlib
import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from mesh.core.errors import MeshError

PATH = "/v1/traces"
PORT = 4318
QUIET_SECONDS = 0.5
"""What belongs to a trace arrives so soon after its first span."""
MAX_BYTES = 64 * 1024 * 1024
MAX_SPANS = 100_000
"""That wait for the one above them."""

_BAR = 24
_REMOTE = 0x200
"""The flag of a span whose parent is another program's."""
_SHOWN = (
    "http.response.status_code",
    "mesh.batch.size",
    "mesh.version",
    "mesh.shard",
    "error.type",
)
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


@dataclass(frozen=True)
class Received:
    """A span.

    Args:
        may_be_top: whether no other span of its program is above it.
        start: nanoseconds, as is `end`.
        notes: values of its attributes.
    """

    trace: str
    id: bytes
    parent: bytes
    may_be_top: bool
    service: str
    name: str
    start: int
    end: int
    notes: tuple[str, ...]


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
def command(port: int) -> None:
    traces = Traces()
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(traces))
    except OSError as error:
        raise MeshError(f"Port {port} can't be listened on: {error.strerror}.") from error
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        click.echo(
            f"Traces are printed here. Programs send them by OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}. "
            "Ctrl-C ends this.",
            err=True,
        )
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(QUIET_SECONDS)
                for lines in traces.take_complete():
                    click.echo("\n".join(lines) + "\n")


class Traces:
    """The spans that aren't printed yet; threads share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[Received] = []
        self._changed = 0.0

    def add(self, body: bytes) -> None:
        """Take the spans of a request; the oldest ones are forgotten where there are too many.

        Raises:
            DecodeError: it is none.
        """
        spans = list(_read(ExportTraceServiceRequest.FromString(body)))
        with self._lock:
            self._spans = [*self._spans, *spans][-MAX_SPANS:]
            self._changed = time.monotonic()

    def take_complete(self) -> list[list[str]]:
        """The lines of the traces whose first span has arrived, once nothing arrives any more."""
        with self._lock:
            if time.monotonic() - self._changed < QUIET_SECONDS:
                return []
            known = {span.id for span in self._spans}
            tops = [each for each in self._spans if each.may_be_top and each.parent not in known]
            tops.sort(key=lambda top: top.start)
            shown = [(top, below(top, self._spans)) for top in tops]
            gone = {span.id for top, spans in shown for span in (top, *spans)}
            self._spans = [span for span in self._spans if span.id not in gone]
        return [lines_of(top, spans) for top, spans in shown]


def below(top: Received, spans: Sequence[Received]) -> list[Received]:
    """The spans below one, at any distance."""
    children: dict[bytes, list[Received]] = {}
    for span in spans:
        if span.trace == top.trace:
            children.setdefault(span.parent, []).append(span)
    found: list[Received] = []
    waiting = children.pop(top.id, [])
    while waiting:
        span = waiting.pop()
        found.append(span)
        waiting += children.pop(span.id, [])
    return found


def lines_of(top: Received, spans: Sequence[Received]) -> list[str]:
    """A trace as text: a line for each span, with its time on a common scale."""
    rows = list(_rows(top, spans, 0))
    width = max(len(name) for name, _ in rows)
    nanoseconds = max(1, top.end - top.start)
    lines = [f"{top.trace} {top.service}"]
    for name, span in rows:
        first = min(_BAR - 1, max(0, (span.start - top.start) * _BAR // nanoseconds))
        length = min(_BAR - first, max(1, round((span.end - span.start) * _BAR / nanoseconds)))
        bar = (" " * first + "━" * length).ljust(_BAR)
        shown = f"{name:{width}} {(span.end - span.start) / 1e6:>9,.1f} ms  {bar}  {' '.join(span.notes)}"
        lines.append(shown.rstrip())
    return lines


def _rows(span: Received, spans: Sequence[Received], depth: int) -> Iterator[tuple[str, Received]]:
    waiting = [(depth, span)]
    children: dict[bytes, list[Received]] = {}
    for each in sorted(spans, key=lambda one: one.start, reverse=True):
        children.setdefault(each.parent, []).append(each)
    while waiting:
        depth, each = waiting.pop()
        yield f"{'  ' * depth}{each.name}", each
        waiting += [(depth + 1, child) for child in children.pop(each.id, [])]


def _read(request: ExportTraceServiceRequest) -> Iterator[Received]:
    for of_resource in request.resource_spans:
        service = _values(of_resource.resource).get("service.name", "")
        for scope in of_resource.scope_spans:
            for span in scope.spans:
                values = _values(span)
                yield Received(
                    trace=span.trace_id.hex(),
                    id=span.span_id,
                    parent=span.parent_span_id,
                    may_be_top=not span.parent_span_id or bool(span.flags & _REMOTE),
                    service=service,
                    name=_printable(span.name),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    notes=tuple(
                        f"{name.rpartition('.')[2]}={values[name]}"
                        for name in _SHOWN
                        if name in values
                    ),
                )


def _values(owner: Message) -> dict[str, str]:
    return {
        each.key: _printable(
            str(getattr(each.value, each.value.WhichOneof("value") or "string_value"))
        )
        for each in owner.attributes
    }


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _handler(traces: Traces) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the base class calls it
            self._respond(self._take())

        def log_message(self, *_: object) -> None:
            """Only traces are shown."""

        def _take(self) -> int:
            length = self.headers.get("content-length", "")
            if self.path.partition("?")[0] != PATH:
                return 404
            if not length.isdigit() or int(length) > MAX_BYTES:
                return 413
            body = self.rfile.read(int(length))
            try:
                if decode := _DECODERS.get(self.headers.get("content-encoding", "")):
                    body = decode(body)
                traces.add(body)
            except (DecodeError, OSError, EOFError, zlib.error):
                return 400
            return 200

        def _respond(self, status: int) -> None:
            content = ExportTraceServiceResponse().SerializeToString()
            self.send_response(status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
