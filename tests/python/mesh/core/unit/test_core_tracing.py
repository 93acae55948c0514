"""Spans of a program, sent to a collector that speaks OTLP."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.core.program import Program
from mesh.core.tracing import (
    NO_SPAN,
    annotate,
    headers,
    ids,
    is_wanted,
    program_span,
    span,
    tracing,
)
from trace_collector import Collector, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector to which this process sends its spans, once it is traced."""
    with collecting() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def test_spans_of_a_program(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-01")
    monkeypatch.setenv("TRACESTATE", "vendor=a")
    with tracing("test-program"):
        with program_span("test:program", {"mesh.project": "test"}) as outer:
            inherited = os.environ["TRACEPARENT"], os.environ["TRACESTATE"]
            annotate({"mesh.version": "TEST-1"})
            with pytest.raises(ValueError, match="private"), span("inner", {"rows": 3}):
                raise ValueError("private")
            # Another program in the same process.
            with tracing("other"), program_span("test:other"):
                pass
            outer.fail("exit code")
        assert os.environ["TRACEPARENT"] == f"00-{TRACE}-{PARENT}-01"
        assert span("outside") is NO_SPAN
    program, inner, other = collector.wait_for("test:program", "inner", "test:other")
    assert (program.trace, program.parent) == (TRACE, PARENT)
    assert inherited == (f"00-{TRACE}-{program.id}-01", "vendor=a")
    assert program.attributes == {
        "mesh.project": "test",
        "mesh.version": "TEST-1",
        "error.type": "exit code",
    }
    assert (inner.parent, other.parent) == (program.id, program.id)
    assert (program.failed, inner.failed, other.failed) == (True, True, False)
    assert inner.attributes == {"rows": 3, "error.type": "ValueError"}
    assert {sent.resource["service.name"] for sent in collector.spans} == {"test-program"}
    assert {sent.events for sent in collector.spans} == {0}
    assert b"private" not in b"".join(collector.bodies)


def test_a_program_without_a_trace_around_it(collector: Collector) -> None:
    program = Program(component="mesh.cli", name="three", run=lambda: 3, settings=())
    assert program.main([]) == 3
    [sent] = collector.wait_for("mesh.cli:three")
    assert (sent.parent, sent.failed) == ("", True)
    assert sent.attributes == {
        "mesh.project": "mesh",
        "mesh.step": "cli:three",
        "process.exit.code": 3,
        "error.type": "exit code",
    }
    assert sent.resource["service.name"] == "mesh-cli"
    assert "TRACEPARENT" not in os.environ


def test_headers_and_ids_are_those_of_the_current_span(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracing("test"), program_span("program"):
        found = ids()
        # Sampled, and the id is random.
        assert headers() == {"traceparent": f"00-{found['trace_id']}-{found['span_id']}-03"}
        monkeypatch.setenv("OTEL_PROPAGATORS", "none")
        assert headers() == {}
    [sent] = collector.wait_for("program")
    assert found == {"trace_id": sent.trace, "span_id": sent.id}
    assert (headers(), ids()) == ({}, {})


def test_what_is_not_sampled_has_no_spans_and_a_context(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with tracing("test"), program_span("program"):
        assert span("inner") is NO_SPAN
        assert headers()["traceparent"].endswith("-02")
    assert not collector.bodies


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "None", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, True),
        ({"OTEL_SERVICE_NAME": "a"}, False),
    ],
)
def test_the_environment_asks_for_traces(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_wanted() == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER=zipkin: only otlp and none"),
        ("OTEL_TRACES_EXPORTER", "otlp,console", "only otlp and none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces are"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "are sent by http/protobuf only"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "hidden:4318", "OTEL_EXPORTER_OTLP_ENDPOINT is no http"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http:///hidden", "OTEL_EXPORTER_OTLP_ENDPOINT is no http"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hidden", "OTEL_EXPORTER_OTLP_HEADERS is malformed"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,hidden\n=c", "OTEL_EXPORTER_OTLP_HEADERS is malformed"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b;hidden", "TRACES_HEADERS is malformed"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "OTEL_BSP_MAX_QUEUE_SIZE=many is no number above 0."),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "OTEL_BSP_MAX_QUEUE_SIZE=0 is no number above 0."),
        ("OTEL_BSP_EXPORT_TIMEOUT", "-1", "OTEL_BSP_EXPORT_TIMEOUT=-1 is no number above 0."),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4000", "max_export_batch_size must be less"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "-3", "OTEL_SPAN_LINK_COUNT_LIMIT must be"),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/nowhere/ca.crt",
            "OTEL_EXPORTER_OTLP_CERTIFICATE=/nowhere/ca.crt can't be read: No such file",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/", "can't be read: Is a directory"),
    ],
)
def test_wrong_variables(
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
    message: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as raised, tracing("test"):
        pass
    assert message in str(raised.value)
    assert "hidden" not in str(raised.value) + caplog.text
    assert not is_traced()


def is_traced() -> bool:
    with program_span("none"):
        return bool(ids())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, "ConnectionError"),
        (400, "status 400"),
        (401, "status 401"),
        (503, "no success in time"),
    ],
)
def test_a_collector_that_fails(
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int | None,
    reason: str,
) -> None:
    place = "http://127.0.0.1:9" if status is None else collector.url
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{place}/v1/traces?token=hidden")
    # The SDK tries again where nobody listens, after a second.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1.5" if status is None else "0.2")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    collector.status = status or 200
    with tracing("test") as traces:
        delivery = traces.delivery  # type: ignore[union-attr]
        for count in (1,) if status is None else (1, 2, 3):
            with program_span("lost"):
                pass
            collector.wait_until(lambda count=count: delivery.dropped["unsent"] == count)  # type: ignore[misc]
    assert (delivery.sent, delivery.waiting, delivery.dropped["queue_full"]) == (0, 0, 0)
    [record] = [record for record in caplog.records if "dropped" in record.getMessage()]
    place = f"{place}/v1/traces?***"
    assert record.getMessage() == f"Spans are dropped: {place} didn't take them ({reason})."
    assert "hidden" not in caplog.text


def test_a_defect_of_the_exporter_is_a_loss_that_is_counted(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def export(*_: object) -> None:
        raise ZeroDivisionError("hidden")

    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    with tracing("test") as traces:
        delivery = traces.delivery  # type: ignore[union-attr]
        monkeypatch.setattr(delivery._exporter, "export", export)
        with program_span("lost"):
            pass
        collector.wait_until(lambda: delivery.dropped["unsent"] == 1)
    assert (delivery.sent, delivery.waiting) == (0, 0)
    assert "didn't take them (ZeroDivisionError)" in caplog.text
    assert "hidden" not in caplog.text


def test_after_a_failure_spans_are_sent_again(collector: Collector) -> None:
    collector.status = 400
    with tracing("test") as traces:
        delivery = traces.delivery  # type: ignore[union-attr]
        with program_span("lost"):
            pass
        collector.wait_until(lambda: delivery.dropped["unsent"] == 1)
        collector.status = 200
        with program_span("sent"):
            pass
        collector.wait_for("sent")
        collector.wait_until(lambda: delivery.sent == 1)


def test_the_end_waits_for_a_collector_only_so_long(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    monkeypatch.setenv("OTEL_BSP_EXPORT_TIMEOUT", "50")
    collector.gate.clear()
    with tracing("test"), program_span("late"):
        pass
    # The gate is still shut: what ended the wait was the time.
    assert not collector.spans
    assert "before the end of the process" in caplog.text


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    program = (
        "import sys; from mesh.core.tracing import *\n"
        "with tracing('a'), program_span('b'), span('c') as found:\n"
        "    found.set({'d': 1}); annotate({'e': 1}); assert headers() == ids() == {}\n"
        "print(*(name for name in sys.modules if name.startswith(('opentelemetry', 'mesh.core.otel'))))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == []


@given(
    st.lists(st.text() | st.from_regex(r"0[01]-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"), max_size=2),
    st.lists(st.text() | st.from_regex(r"([a-z]{1,3}=[a-z],){1,40}"), max_size=3),
)
def test_any_headers_make_a_context(parents: list[str], states: list[str]) -> None:
    from opentelemetry.trace import get_current_span

    from mesh.core.otel import MAX_STATE, remote_context

    context = get_current_span(remote_context(parents, states)).get_span_context()
    assert len(context.trace_state.to_header()) <= MAX_STATE
    assert not context.is_valid or f"{context.trace_id:032x}-{context.span_id:016x}" in parents[0]


def test_logs_have_the_ids(collector: Collector) -> None:
    from mesh.core.logs import JsonFormatter, TextFormatter

    record = logging.makeLogRecord({"msg": "said"})
    with tracing("test"), program_span("program"):
        found = ids()
        as_json = JsonFormatter("test").format(record)
        as_text = TextFormatter("%(message)s").format(record)
    assert as_text == f"said trace_id={found['trace_id']} span_id={found['span_id']}"
    assert f'"trace_id": "{found["trace_id"]}", "span_id": "{found["span_id"]}"' in as_json
    assert TextFormatter("%(message)s").format(record) == "said"
