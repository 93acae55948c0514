"""Traces of real servers, at a collector that speaks OTLP."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grpc_calls import GrpcCaller, infer_request
from trace_collector import Collector, collecting

PREDICT = "/v1/model/tiny/predict"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SERVER = 2
KEY = "mesh_0123456789ab_" + "k" * 43
Start = Callable[..., Any]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector to which the servers of a test send their spans."""
    with collecting() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def dropped(server: Any, reason: str) -> float:
    count: float = server.metric(f'trace_spans_dropped_total{{reason="{reason}"}}')
    return count


def test_a_request_and_its_batch(serve: Start, collector: Collector) -> None:
    server = serve()
    with server.client() as client:
        headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=a"}
        client.post(PREDICT, json={"text": "hello"}, headers=headers).raise_for_status()
    names = (f"POST {PREDICT.replace('tiny', '{name}')}", "receive", "validate", "queue", "batch")
    request, *inner = collector.wait_for(*names)
    assert (request.trace, request.parent, request.state) == (TRACE, PARENT, "vendor=a")
    assert (request.kind, request.failed) == (SERVER, False)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/model/{name}/predict",
        "http.response.status_code": 200,
        "url.path": PREDICT,
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "client.address": "127.0.0.1",
        "client.port": request.attributes["client.port"],
    }
    assert {(span.trace, span.parent) for span in inner} == {(TRACE, request.id)}
    receive, _, queue, batch = inner
    assert receive.attributes == {"http.request.body.size": len('{"text":"hello"}')}
    assert (batch.links, queue.links) == ([request.id], [batch.id])
    assert batch.attributes == {"mesh.batch.size": 1}
    assert request.start <= queue.start <= queue.end <= batch.start <= batch.end <= request.end
    assert request.resource["service.name"] == "tiny-serve"
    assert len({span.id for span in collector.spans}) == len(collector.spans) == 5


def test_requests_that_are_computed_together(launch: Start, collector: Collector) -> None:
    server = launch(threads=1, max_batch=8, batch_wait_ms=5000)
    server.wait_until(server.is_ready)
    texts = {
        "inputs": [
            {"name": "text", "shape": [8], "datatype": "BYTES", "data": [f"{n}" for n in range(8)]}
        ]
    }
    with server.client() as client:
        client.post("/v2/models/tiny/infer", json=texts).raise_for_status()
    [request, batch, queue] = collector.wait_for("POST /v2/models/{name}/infer", "batch", "queue")
    assert (batch.links, batch.attributes) == ([request.id], {"mesh.batch.size": 8})
    assert (queue.links, queue.parent) == ([batch.id], request.id)


def test_a_call_over_grpc(launch: Start, collector: Collector) -> None:
    server = launch(grpc_port=0)
    server.wait_until(server.is_ready)
    with GrpcCaller(server.grpc_address) as caller:
        caller.infer(infer_request("hello"), metadata=[("traceparent", TRACEPARENT)])
    call, batch = collector.wait_for("inference.GRPCInferenceService/ModelInfer", "batch")
    assert (call.trace, call.parent, call.kind) == (TRACE, PARENT, SERVER)
    assert call.attributes["rpc.system"] == "grpc"
    assert call.attributes["rpc.method"] == "ModelInfer"
    assert (batch.parent, batch.links) == (call.id, [call.id])
    collector.wait_for("queue", "receive", "validate")


def test_ids_are_in_problems_logs_and_exemplars(launch: Start, collector: Collector) -> None:
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        response = client.post(
            PREDICT,
            json={"text": "secret words", "crash": True},
            headers={"traceparent": TRACEPARENT},
        )
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        metrics = client.get("/metrics", headers=accept).text
        plain = client.get("/metrics").text
    assert (response.status_code, response.json()["trace_id"]) == (500, TRACE)
    records = [json.loads(line) for line in server.log.splitlines()]
    traced = [record for record in records if record.get("trace_id") == TRACE]
    assert {record["name"] for record in traced} == {"mesh.serve.access"}
    assert {record["levelname"] for record in traced} == {"ERROR", "INFO"}
    [request] = collector.wait_for("POST /v1/model/{name}/predict")
    assert {record["span_id"] for record in traced} == {request.id}
    assert request.failed
    assert request.attributes["error.type"] == "500"
    assert f'# {{trace_id="{TRACE}"}}' in metrics
    assert TRACE not in plain


def test_probes_and_metrics_make_no_spans(launch: Start, collector: Collector) -> None:
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        for path in ("/v1/live", "/v1/ready", "/metrics", "/v2"):
            client.get(path).raise_for_status()
    collector.wait_for("GET /v2")
    assert {span.name for span in collector.spans} == {"GET /v2"}


def test_nothing_secret_is_sent(
    launch: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden%20key,x=1")
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        for path in (PREDICT, f"/v1/{KEY}?q={KEY}", f"/v1/model/{KEY}/predict"):
            client.post(
                path,
                json={"text": "private words", "refuse": True},
                headers={"authorization": f"Bearer {KEY}", "baggage": "words=private"},
            )
    collector.wait_until(lambda: sum(span.kind == SERVER for span in collector.spans) == 3)
    assert collector.headers["api-key"] == "hidden key"
    sent = b"".join(collector.bodies)
    for secret in (b"private", KEY.encode(), b"hidden"):
        assert secret not in sent
        assert secret.decode() not in server.log


HOSTILE: dict[str, list[tuple[str, str | bytes]]] = {
    "no traceparent": [("traceparent", "")],
    "letters": [("traceparent", "x" * 55)],
    "zeros": [("traceparent", f"00-{'0' * 32}-{PARENT}-01")],
    "capitals": [("traceparent", TRACEPARENT.upper())],
    "the version that is none": [("traceparent", f"ff{TRACEPARENT[2:]}")],
    "more than its version has": [("traceparent", f"{TRACEPARENT}-more")],
    "a long one": [("traceparent", "0" * 30_000)],
    "two": [("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT)],
    "bytes": [("traceparent", TRACEPARENT), ("tracestate", b"a=\xff")],
    "a long state": [("traceparent", TRACEPARENT), ("tracestate", "a=" + "b" * 30_000)],
    "thousands of members": [
        ("traceparent", TRACEPARENT),
        ("tracestate", ",".join(f"a{n}=b" for n in range(4000))),
    ],
    "thousands of states": [("traceparent", TRACEPARENT), *[("tracestate", "a=b")] * 90],
    "a member twice": [("traceparent", TRACEPARENT), ("tracestate", "a=b,a=c")],
    "members without values": [("traceparent", TRACEPARENT), ("tracestate", "a,b,=,=c")],
    "thousands of baggage members": [
        ("traceparent", TRACEPARENT),
        ("baggage", ",".join(f"a{n}=b" for n in range(4000))),
    ],
}
KEPT = {name for name, headers in HOSTILE.items() if headers[0] == ("traceparent", TRACEPARENT)}


def test_hostile_headers(serve: Start, collector: Collector) -> None:
    server = serve()
    with server.client() as client:
        for name, headers in HOSTILE.items():
            sent = [
                (key, value if isinstance(value, bytes) else value.encode())
                for key, value in headers
            ]
            response = client.post(PREDICT, json={"text": name}, headers=sent)
            assert response.status_code == 200, name
    collector.wait_until(
        lambda: sum(span.kind == SERVER for span in collector.spans) == len(HOSTILE)
    )
    spans = {}
    for (name, _), span in zip(
        HOSTILE.items(), (span for span in collector.spans if span.kind == SERVER), strict=True
    ):
        spans[name] = span
    assert {name for name, span in spans.items() if span.trace == TRACE} == KEPT - {"two"}
    assert {span.state for span in spans.values()} == {""}
    # No message of the SDK repeats what clients send.
    assert {
        record["name"].partition(".")[0] for record in map(json.loads, server.log.splitlines())
    } == {"mesh"}


def test_a_collector_that_does_not_respond_slows_nothing(
    launch: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    collector.gate.clear()
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        # Each response is there although no span has been taken.
        for _ in range(20):
            client.post(PREDICT, json={"text": "a"}).raise_for_status()
        # Of 100 spans, 20 wait, and up to 10 are on their way.
    assert 70 <= dropped(server, "queue_full") < 80
    assert server.log.count("takes them more slowly than they are made") == 1
    server.terminate()
    assert server.exit_code() == 0
    assert server.log.count("before the end of the process") == 1
    assert not collector.spans


def test_a_collector_that_refuses(launch: Start, collector: Collector) -> None:
    collector.status = 401
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        for count in (5, 10):
            client.post(PREDICT, json={"text": "a"}).raise_for_status()
            server.wait_until(lambda count=count: dropped(server, "unsent") >= count)
    assert server.log.count("Spans are dropped") == 1
    server.terminate()
    assert server.exit_code() == 0


def test_the_end_sends_what_is_left(
    serve: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    server = serve()
    with server.client() as client:
        client.post(PREDICT, json={"text": "a"}).raise_for_status()
    assert not collector.spans
    server.terminate()
    assert server.exit_code() == 0
    assert len(collector.spans) == 5


def test_samplers_names_and_attributes_are_those_of_the_environment(
    launch: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "named")
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=7"
    )
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        client.post(PREDICT, json={"text": "a"}).raise_for_status()
        refused = client.post(PREDICT, json={})
        client.post(PREDICT, json={"text": "a"}, headers={"traceparent": TRACEPARENT})
        client.post(
            PREDICT, json={"text": "a"}, headers={"traceparent": TRACEPARENT[:-2] + "00"}
        ).raise_for_status()
    # Logs and problems have an id all the same, for other services may record the trace.
    assert len(refused.json()["trace_id"]) == 32
    collector.wait_for("batch", "queue", "receive", "validate", "POST /v1/model/{name}/predict")
    assert {span.trace for span in collector.spans} == {TRACE}
    assert len(collector.spans) == 5
    resource = collector.spans[0].resource
    assert resource["service.name"] == "named"
    assert resource["service.version"] == "7"
    assert resource["deployment.environment.name"] == "test"


def test_off(launch: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    server = launch()
    server.wait_until(server.is_ready)
    with server.client() as client:
        response = client.post(PREDICT, json={}, headers={"traceparent": TRACEPARENT})
        assert "trace_id" not in response.json()
        assert "trace_spans" not in client.get("/metrics").text
    assert TRACE not in server.log
    server.terminate()
    assert server.exit_code() == 0
    assert not collector.bodies


def test_a_wrong_variable_ends_the_server_with_a_sentence(
    launch: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    server = launch()
    assert server.exit_code() == 2
    message = "OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// address."
    assert server.log == f"error: {message}\n"
