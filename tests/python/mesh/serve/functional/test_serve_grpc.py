"""A real server over gRPC: predictions, limits, and what clients get wrong."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from grpc_calls import SERVICE, GrpcCaller, details_of, infer_request
from mesh.serve.grpc import messages_pb2 as messages
from mesh.serve.grpc.health import MAX_WATCHERS
from mesh.serve.inference_tensors import read_texts

from .conftest import HTTP_SERVERS, TinyServer

Start = Callable[..., Any]


INFER = f"/{SERVICE}/ModelInfer"
PREDICT = "/v1/model/tiny/predict"
HEALTH = "grpc.health.v1.Health"


@pytest.fixture
def serve_grpc(launch: Start) -> Iterator[Callable[..., tuple[Any, GrpcCaller]]]:
    """Start a server, and a caller of it."""
    callers: list[GrpcCaller] = []

    def _serve(**options: Any) -> tuple[Any, GrpcCaller]:
        server = launch(grpc_port=0, **options)
        server.wait_until(server.is_ready)
        callers.append(GrpcCaller(server.grpc_address))
        return server, callers[-1]

    yield _serve
    for caller in callers:
        caller.channel.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyServer]:
    """A running server that tests share."""
    server = TinyServer(tmp_path_factory.mktemp("shared"), grpc_port=0, queue_size=4)
    server.wait_until(server.is_ready)
    yield server
    server.terminate()
    assert server.exit_code() == 0
    assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def caller(shared: TinyServer) -> Iterator[GrpcCaller]:
    """A caller of it."""
    with GrpcCaller(shared.grpc_address) as made:
        yield made


def block_threads(server: Any, pool: ThreadPoolExecutor) -> Any:
    """Let a request over HTTP take the only thread."""

    def post() -> httpx.Response:
        with server.client() as client:
            response: httpx.Response = client.post(PREDICT, json={"text": "first", "block": True})
        return response

    response = pool.submit(post)
    server.wait_until(lambda: server.computed)
    return response


def waiting(server: Any, count: int) -> bool:
    return bool(server.metric("inference_queue_depth") == count)


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_responses_have_the_form_and_shape_of_their_texts(
    caller: GrpcCaller, raw: bool, shape: list[int]
) -> None:
    request = infer_request("hi", "日本", raw=raw, shape=shape)
    request.id = "7"
    response = caller.infer(request)
    assert (response.model_name, response.model_version, response.id) == ("tiny", "1", "7")
    [tensor] = response.outputs
    assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("response", "BYTES", shape)
    given = list(tensor.contents.bytes_contents)
    if raw:
        assert given == []
        [binary] = response.raw_output_contents
        given = [each.encode() for each in read_texts(binary, 2)]
    assert [json.loads(each)["text"] for each in given] == ["HI", "日本"]


def changed(**members: Any) -> messages.ModelInferRequest:
    """A good request with other members."""
    request = infer_request("a", "b")
    for name in members:
        request.ClearField(name)
    request.MergeFrom(messages.ModelInferRequest(**members))
    return request


TENSOR = {"name": "text", "datatype": "BYTES", "shape": [1]}
SHARED = {"shared_memory_region": {"string_param": "r"}}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (changed(inputs=[]), "inputs"),
        (changed(inputs=[TENSOR, TENSOR]), "inputs"),
        (changed(inputs=[TENSOR] * 20_000), "inputs"),
        (infer_request("a", name="txt"), "inputs[0].name"),
        (infer_request("a", datatype="INT32"), "inputs[0].datatype"),
        (infer_request("a", datatype=""), "inputs[0].datatype"),
        (infer_request("a", shape=[]), "inputs[0].shape"),
        (infer_request("a", shape=[2]), "inputs[0].shape"),
        (infer_request("a", shape=[-1]), "inputs[0].shape"),
        (infer_request("a", "b", shape=[1, 2]), "inputs[0].shape"),
        (infer_request("a", shape=[1] * 1_000), "inputs[0].shape"),
        (infer_request("a", shape=[1] * 1_000_000), "inputs.shape"),
        (changed(inputs=[{**TENSOR, "shape": [1_000_000]}], raw_input_contents=[]), "inputs[0]"),
        (infer_request(), "raw_input_contents[0]"),
        (infer_request(raw=False), "inputs[0].contents.bytes_contents"),
        (infer_request(*"abcde"), "raw_input_contents[0]"),
        (infer_request(*"abcde", raw=False), "inputs[0].contents.bytes_contents"),
        (changed(raw_input_contents=[b"\5\0\0\0a"]), "raw_input_contents[0][0]"),
        (changed(raw_input_contents=[b"\1\0\0\0a\1"]), "raw_input_contents[0][1]"),
        (changed(raw_input_contents=[b"\xff\xff\xff\xff"]), "raw_input_contents[0][0]"),
        (changed(raw_input_contents=[b"\1\0\0\0\xff"]), "raw_input_contents[0][0]"),
        (changed(raw_input_contents=[b"\0\0\0\0"] * 2), "raw_input_contents"),
        (
            infer_request("a", contents={"bytes_contents": [b"a"]}),
            "raw_input_contents",
        ),
        (
            infer_request("a", raw=False, contents={"bytes_contents": [b"\xff"]}),
            "inputs[0].contents.bytes_contents[0]",
        ),
        (
            changed(inputs=[{**TENSOR, "contents": {"int_contents": [1]}}], raw_input_contents=[]),
            "inputs[0].contents.int_contents",
        ),
        (
            infer_request("a", parameters=SHARED),
            "inputs[0].parameters.shared_memory_region",
        ),
        (changed(outputs=[{"name": "scores"}]), "outputs[0].name"),
        (changed(outputs=[{"name": "response"}] * 2), "outputs"),
        (
            changed(outputs=[{"name": "response", "parameters": SHARED}]),
            "outputs[0].parameters.shared_memory_region",
        ),
    ],
)
def test_wrong_requests_are_refused_by_their_field(
    caller: GrpcCaller, request_: messages.ModelInferRequest, field: str
) -> None:
    error = caller.refusal(request_)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(field)
    details = details_of(error)
    assert list(details) == ["BadRequest"]
    assert details["BadRequest"].field_violations[0].field.startswith(field)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            b"\xff" * 100,
            grpc.StatusCode.INVALID_ARGUMENT,
            "The message is not a ModelInferRequest.",
        ),
        (b"\x0a\x7f", grpc.StatusCode.INVALID_ARGUMENT, "The message is not a ModelInferRequest."),
        (
            b"\x0a\x02\xff\xff",
            grpc.StatusCode.INVALID_ARGUMENT,
            "The message is not a ModelInferRequest.",
        ),
        (b"\x0b\x0c", grpc.StatusCode.INVALID_ARGUMENT, "The message is not a ModelInferRequest."),
        # Each empty tensor would take 80 bytes.
        (
            b"\x2a\0" * 2_000_000,
            grpc.StatusCode.INVALID_ARGUMENT,
            "inputs: The message has more than",
        ),
        (
            b"\x7a\0" * 2_000_000,
            grpc.StatusCode.INVALID_ARGUMENT,
            "body: The message has more than",
        ),
        (b"", grpc.StatusCode.NOT_FOUND, "The model '' is not served here"),
        (infer_request("a", model="x" * 5_000), grpc.StatusCode.NOT_FOUND, "The model 'xxx"),
        (
            changed(model_version="2"),
            grpc.StatusCode.NOT_FOUND,
            "The version '2' of tiny is not served",
        ),
        (infer_request("a" * 10_000_000), grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    ],
)
def test_messages_that_are_none_are_refused(
    caller: GrpcCaller, body: Any, code: grpc.StatusCode, message: str
) -> None:
    error = caller.refusal(body)
    assert error.code() is code
    assert message in error.details()


def test_compressed_messages_are_refused(caller: GrpcCaller) -> None:
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        error = caller.refusal(infer_request("a" * 100_000), compression=compression)
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_calls_without_a_message_or_method_are_refused(caller: GrpcCaller) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        caller.channel.stream_unary(INFER)(iter(()), timeout=60)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "The call has no message."
    with pytest.raises(grpc.RpcError) as refused:
        caller.method("ModelStreamInfer")(b"", timeout=60)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_calls_have_ids_and_are_counted(shared: TinyServer, caller: GrpcCaller) -> None:
    call = caller.begin(infer_request("a"), metadata=[("x-request-id", "one")])
    call.result()
    assert ("x-request-id", "one") in list(call.trailing_metadata())
    error = caller.refusal(b"", metadata=[("x-request-id", "two")])
    assert ("x-request-id", "two") in list(error.trailing_metadata())
    entry = f'"request_line": "POST {INFER} HTTP/2", "status_code": 404'
    shared.wait_until(lambda: entry in shared.log)
    labels = f'method="POST",route="{INFER}",status="404"'
    assert shared.metric(f"http_requests_total{{{labels}}}") >= 1


def test_a_full_queue_and_a_passed_deadline_are_told(serve_grpc: Callable[..., Any]) -> None:
    server, caller = serve_grpc(threads=1, queue_size=1, deadline_seconds=2)
    with ThreadPoolExecutor() as pool:
        blocked = block_threads(server, pool)
        late = caller.begin(infer_request("late"))
        server.wait_until(lambda: waiting(server, 1))
        error = caller.refusal(infer_request("refused"))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details_of(error)["RetryInfo"].retry_delay.seconds == 1
        assert ("grpc-retry-pushback-ms", "1000") in list(error.trailing_metadata())
        assert late.exception().code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert late.details().startswith("No response was ready within 2 seconds")
        server.open_gate()
        blocked.result()
    assert server.computed == ["first"]


def test_calls_whose_clients_leave_free_their_places(serve_grpc: Callable[..., Any]) -> None:
    server, caller = serve_grpc(threads=1, queue_size=2)
    with ThreadPoolExecutor() as pool:
        blocked = block_threads(server, pool)
        cancelled = caller.begin(infer_request("cancelled"))
        timed_out = caller.begin(infer_request("late"), timeout=1)
        server.wait_until(lambda: waiting(server, 2))
        cancelled.cancel()
        assert timed_out.exception().code() is grpc.StatusCode.DEADLINE_EXCEEDED
        server.wait_until(lambda: waiting(server, 0))
        server.open_gate()
        blocked.result()
    caller.infer(infer_request("last"))
    assert server.computed == ["first", "last"]
    labels = f'method="POST",route="{INFER}",status="499"'
    assert server.metric(f"http_requests_total{{{labels}}}") == 2
    assert "Traceback" not in server.log


@pytest.mark.parametrize("http", HTTP_SERVERS)
def test_calls_in_progress_are_completed_at_the_end(
    serve_grpc: Callable[..., Any], http: str
) -> None:
    server, caller = serve_grpc(threads=1, server=http)
    watched = caller.channel.unary_stream(f"/{HEALTH}/Watch")(b"", timeout=60)
    kinds = messages.HealthCheckResponse
    assert kinds.FromString(next(watched)).status == kinds.SERVING
    with ThreadPoolExecutor() as pool:
        block_threads(server, pool)
        call = caller.begin(infer_request("accepted"))
        server.wait_until(lambda: waiting(server, 1))
        server.terminate()
        # It tells of the end, and doesn't hold it up.
        assert [kinds.FromString(each).status for each in watched] == [kinds.NOT_SERVING]
        server.open_gate()
        assert messages.ModelInferResponse.FromString(call.result()).model_name == "tiny"
    assert server.exit_code() == 0


def test_calls_that_take_longer_than_the_end_are_cut_off(
    serve_grpc: Callable[..., Any],
) -> None:
    server, caller = serve_grpc(threads=1, drain_seconds=0.5)
    with ThreadPoolExecutor() as pool:
        block_threads(server, pool)
        call = caller.begin(infer_request("accepted"))
        server.wait_until(lambda: waiting(server, 1))
        server.terminate()
        assert call.exception().code() is grpc.StatusCode.UNAVAILABLE
        assert call.details().startswith("The server was shut down")
    assert server.exit_code() == 1
    assert "2 requests got no response within 0.5 seconds" in server.log


def test_a_server_that_loads_says_so(launch: Start) -> None:
    server = launch(load="block", grpc_port=0)
    with GrpcCaller(server.grpc_address) as caller:
        error = caller.refusal(infer_request("a"), wait_for_ready=True)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert error.details() == "The model is being loaded."
        assert details_of(error)["RetryInfo"].retry_delay.seconds == 1
        kinds = messages.HealthCheckResponse
        checked = kinds.FromString(caller.method("Check", HEALTH)(b"", timeout=60))
        assert checked.status == kinds.NOT_SERVING
        for name in ("ServerReady", "ModelReady"):
            request = messages.ModelReadyRequest(name="tiny") if name == "ModelReady" else None
            body = request.SerializeToString() if request else b""
            assert caller.method(name)(body, timeout=60) == b""


def test_the_health_of_what_is_not_there_is_not_found(caller: GrpcCaller) -> None:
    kinds = messages.HealthCheckResponse
    for name in ("", SERVICE, "tiny"):
        body = messages.HealthCheckRequest(service=name).SerializeToString()
        checked = kinds.FromString(caller.method("Check", HEALTH)(body, timeout=60))
        assert checked.status == kinds.SERVING
    body = messages.HealthCheckRequest(service="other").SerializeToString()
    with pytest.raises(grpc.RpcError) as refused:
        caller.method("Check", HEALTH)(body, timeout=60)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    watched = caller.channel.unary_stream(f"/{HEALTH}/Watch")(body, timeout=60)
    assert kinds.FromString(next(watched)).status == kinds.SERVICE_UNKNOWN
    watched.cancel()


def test_calls_that_watch_leave_room_for_others(caller: GrpcCaller) -> None:
    watch = caller.channel.unary_stream(f"/{HEALTH}/Watch")
    calls = [watch(b"", timeout=60) for _ in range(MAX_WATCHERS)]
    assert [next(call) for call in calls] == [b"\x08\x01"] * MAX_WATCHERS
    with pytest.raises(grpc.RpcError, match="call Check from time to time") as refused:
        next(watch(b"", timeout=60))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caller.infer(infer_request("a")).model_name == "tiny"
    for call in calls:
        call.cancel()
    # Their places are free again.
    while True:
        try:
            next(watch(b"", timeout=60))
            break
        except grpc.RpcError:
            time.sleep(0.05)


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x02\xff\xff"])
def test_a_watch_of_nothing_is_refused(caller: GrpcCaller, body: bytes) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        next(caller.channel.unary_stream(f"/{HEALTH}/Watch")(body, timeout=60))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_port_in_use_ends_the_process_with_a_sentence(launch: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = launch(grpc_port=port)
        assert server.exit_code() == 1
        assert f"The server can't listen on 127.0.0.1:{port}" in server.log
        assert "Traceback" not in server.log


def test_nothing_of_grpc_is_loaded_where_it_is_off(launch: Start) -> None:
    server = launch()
    server.wait_until(server.is_ready)
    assert "cygrpc" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_what_takes_nothing_of_its_response_is_cut_off(serve_grpc: Callable[..., Any]) -> None:
    server, caller = serve_grpc(send_seconds=1)
    stream = caller.channel.stream_stream(INFER)
    request = infer_request("a" * 5_000_000).SerializeToString()
    call = stream(iter([request]), timeout=60)
    server.wait_until(lambda: server.metric("http_requests_in_progress") == 2)
    server.wait_until(lambda: server.metric("http_requests_in_progress") == 1)
    call.cancel()
    assert "Traceback" not in server.log
