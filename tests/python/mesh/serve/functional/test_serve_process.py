"""A real server process starts, fails to start, and ends."""

import json
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

PREDICT = "/v1/model/tiny/predict"
Start = Callable[..., Any]

both_signals = pytest.mark.parametrize(
    ("http", "number"), [("uvicorn", signal.SIGTERM), ("hypercorn", signal.SIGINT)]
)


def refuses_connections(server: Any) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


def test_it_is_alive_while_it_loads_and_ready_when_it_has_loaded(start: Start) -> None:
    server = start(load="block")
    with server.client() as client:
        assert client.get("/v1/live").json() == {"live": True}
        for response in (client.get("/v1/ready"), client.post(PREDICT, json={"text": "a"})):
            assert response.status_code == 503
            assert response.json()["detail"] == "The model is being loaded."
            assert response.headers["retry-after"] == "1"
        (server.folder / "loaded").touch()
        server.wait_until(server.is_ready)
        assert client.post(PREDICT, json={"text": "a"}).json()["text"] == "A"


@both_signals
def test_it_ends_at_once_while_it_loads_and_warms_up_and_when_it_is_idle(
    launch: Start, http: str, number: int
) -> None:
    for load in ("block", "compute", ""):
        server = launch(server=http, load=load)
        with server.client() as client:
            client.get("/v1/live")
            if load == "compute":
                server.wait_until(server.is_computing)
            elif not load:
                server.wait_until(server.is_ready)
            # The connection is still open.
            server.process.send_signal(number)
            assert server.exit_code() == 0
        assert server.log.endswith('"All requests are complete"}\n')


def test_a_model_that_can_not_be_loaded_ends_the_process_with_a_sentence(start: Start) -> None:
    server = start(load="refuse")
    assert server.exit_code() == 1
    assert server.log.endswith(
        "error: The folder models/TINY-1 holds no model; run serve:download.\n"
    )
    assert "Traceback" not in server.log


def test_a_defect_in_loading_ends_the_process_and_is_logged(start: Start) -> None:
    server = start(load="crash")
    assert server.exit_code() == 1
    assert server.log.endswith(
        "error: The model tiny can't be loaded: ZeroDivisionError: a defect\n"
    )
    assert "Traceback" in server.log


def test_a_port_in_use_ends_the_process_with_a_sentence(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(port=port)
        assert server.exit_code() == 1
    assert server.log == (
        f"error: The server can't listen on 127.0.0.1:{port} (Address already in use); "
        "choose another address with --host and --port.\n"
    )


def test_an_unknown_host_ends_the_process_with_a_sentence(start: Start) -> None:
    server = start(host="no-such-host.invalid")
    assert server.exit_code() == 1
    assert server.log.startswith("error: The server can't listen on no-such-host.invalid:0 (")
    assert server.log.count("\n") == 1


def test_sigterm_completes_every_request_in_flight_and_refuses_new_connections(
    start: Start,
) -> None:
    server = start(threads=1, max_batch=2)
    server.wait_until(server.is_ready)
    texts = [f"text {number}" for number in range(12)]
    with ThreadPoolExecutor(len(texts)) as pool, server.client() as client:

        def predict(text: str) -> httpx.Response:
            response: httpx.Response = client.post(PREDICT, json={"text": text, "compute": True})
            return response

        accepted = [pool.submit(predict, text) for text in texts]
        # A thread computes one or two of them, the rest waits.
        server.wait_until(
            lambda: len(server.computed) + server.metric("inference_queue_depth") == len(texts)
        )
        assert len(server.computed) <= 2
        server.terminate()
        server.wait_until(lambda: refuses_connections(server))
        assert len(server.computed) <= 2
        server.open_gate()
        for text, each in zip(texts, accepted, strict=True):
            response = each.result()
            assert response.status_code == 200
            assert response.json()["text"] == text.upper()
            assert response.headers["connection"] == "close"
    assert server.exit_code() == 0
    assert sorted(server.computed) == sorted(texts)
    assert "All requests are complete" in server.log


def test_requests_sent_before_sigterm_get_responses_even_if_there_was_no_time_to_read_them(
    start: Start,
) -> None:
    server = start(queue_size=200)
    server.wait_until(server.is_ready)
    body = json.dumps({"text": "a"}).encode()
    request = (
        f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    address = ("127.0.0.1", server.port)
    connections = [socket.create_connection(address, timeout=60) for _ in range(100)]
    for connection in connections:
        connection.sendall(request)
    server.terminate()
    for connection in connections:
        with connection:
            assert connection.recv(12) == b"HTTP/1.1 200"
    assert server.exit_code() == 0


def test_readiness_turns_before_connections_are_refused(start: Start) -> None:
    server = start(drain_delay_seconds=5)
    server.wait_until(server.is_ready)
    server.terminate()
    server.wait_until(lambda: not server.is_ready())
    with server.client() as client:
        assert client.get("/v1/live").status_code == 200
        response = client.post(PREDICT, json={"text": "a"})
        assert response.status_code == 200
        assert response.headers["connection"] == "close"
    assert server.exit_code() == 0


@both_signals
def test_requests_beyond_the_grace_period_are_admitted(
    launch: Start, http: str, number: int
) -> None:
    server = launch(server=http, threads=1, max_batch=1, drain_seconds=0.3)
    server.wait_until(server.is_ready)
    with ThreadPoolExecutor(2) as pool, server.client() as client:
        requests = [{"text": text, "compute": True} for text in "ab"]
        pending = [pool.submit(client.post, PREDICT, json=request) for request in requests]
        server.wait_until(
            lambda: server.is_computing() and server.metric("inference_queue_depth") == 1
        )
        server.process.send_signal(number)
        assert server.exit_code() == 1
        for each in pending:
            response = each.result()
            assert response.status_code == 503
            assert response.json()["detail"] == (
                "The server was shut down before the response was ready; try again."
            )
    assert server.log.endswith(
        "error: 2 requests got no response within 0.3 seconds of shutting down.\n"
    )


def test_threads_that_are_stuck_end_the_process(start: Start) -> None:
    server = start(threads=1, deadline_seconds=0.2, stuck_seconds=0.5, drain_seconds=0.3)
    server.wait_until(server.is_ready)
    with server.client() as client:
        response = client.post(PREDICT, json={"text": "a", "compute": True})
        assert response.status_code == 504
        assert server.exit_code() == 1
    assert server.log.endswith("error: The threads that compute are stuck in their computations.\n")


def test_a_failing_connection_does_not_end_the_wait_for_the_others(start: Start) -> None:
    server = start(threads=1)
    server.wait_until(server.is_ready)
    address = ("127.0.0.1", server.port)
    with ThreadPoolExecutor(1) as pool, server.client() as client:
        accepted = pool.submit(client.post, PREDICT, json={"text": "a", "block": True})
        server.wait_until(lambda: server.computed == ["a"])
        partial = socket.create_connection(address, timeout=60)
        partial.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n".encode()
        )
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 3)
        server.terminate()
        server.wait_until(lambda: refuses_connections(server))
        # Closed with a reset.
        partial.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        partial.close()
        server.open_gate()
        assert accepted.result().status_code == 200
    assert server.exit_code() == 0
