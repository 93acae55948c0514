"""A real server process responds, and refuses, over real HTTP."""

import contextlib
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

PREDICT = "/v1/model/tiny/predict"
Serve = Callable[..., Any]


def connect(server: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def receive_all(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def head(length: int | str, *more: str) -> bytes:
    lines = (
        f"POST {PREDICT} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        *((f"Content-Length: {length}",) if isinstance(length, int) else (length,)),
        *more,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def check_predictions(server: Any, http_version: str, **options: bool) -> None:
    with server.client(**options) as client:
        for text in ("a", "b"):
            response = client.post(PREDICT, json={"text": text})
            assert response.json() == {"text": text.upper(), "batch": 1}
            assert response.http_version == http_version


def test_predictions_over_http_1(serve: Serve) -> None:
    check_predictions(serve(), "HTTP/1.1")


def test_hypercorn_also_speaks_http_2(launch: Serve) -> None:
    server = launch(server="hypercorn", http2=True)
    server.wait_until(server.is_ready)
    check_predictions(server, "HTTP/2", http1=False, http2=True)


def test_an_offer_to_speak_http_2_does_not_cost_the_body(serve: Serve) -> None:
    # As Java's client makes it with each first request.
    server = serve(receive_seconds=5)
    body = json.dumps({"text": "a" * 100_000}).encode()
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
    with connect(server) as connection:
        connection.sendall(head(len(body), *upgrade))
        connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_waiting_requests_are_computed_together(serve: Serve) -> None:
    server = serve(threads=1, max_batch=4)
    with ThreadPoolExecutor(10) as pool, server.client() as client:

        def predict(text: str, block: bool = False) -> Any:
            return client.post(PREDICT, json={"text": text, "block": block}).json()

        first = pool.submit(predict, "first", True)
        server.wait_until(lambda: server.computed == ["first"])
        others = [pool.submit(predict, text) for text in "abcde"]
        server.wait_until(lambda: server.metric("inference_queue_depth") == 5)
        server.open_gate()
        assert first.result()["batch"] == 1
        responses = [other.result() for other in others]
    assert [response["text"] for response in responses] == list("ABCDE")
    assert sorted(response["batch"] for response in responses) == [1, 4, 4, 4, 4]


def test_one_failing_request_of_a_batch_fails_alone(serve: Serve) -> None:
    server = serve(threads=1)
    with ThreadPoolExecutor(10) as pool, server.client() as client:

        def status_of(**request: Any) -> int:
            status: int = client.post(PREDICT, json={"text": "a", **request}).status_code
            return status

        first = pool.submit(status_of, block=True)
        server.wait_until(lambda: len(server.computed) == 1)
        others = [
            pool.submit(status_of, **each) for each in ({}, {"refuse": True}, {"crash": True}, {})
        ]
        server.wait_until(lambda: server.metric("inference_queue_depth") == 4)
        server.open_gate()
        assert first.result() == 200
        assert [other.result() for other in others] == [200, 422, 500, 200]
    assert server.metric('inference_batch_size_bucket{le="4.0"}') == 2


def test_outputs_are_sent_as_soon_as_they_are_ready(serve: Serve) -> None:
    server = serve()
    request = {"text": "one two three", "block": True}
    headers = {"Accept": "application/x-ndjson"}
    with (
        server.client() as client,
        client.stream("POST", PREDICT, json=request, headers=headers) as response,
    ):
        lines = response.iter_lines()
        assert [next(lines), next(lines)] == ['"ONE"', '"TWO"']
        server.open_gate()
        assert list(lines) == ['"THREE"']


def test_saturation_gets_503_while_probes_still_respond(serve: Serve) -> None:
    server = serve(threads=1, max_batch=1, queue_size=2)
    with ThreadPoolExecutor(10) as pool, server.client() as client:

        def predict(text: str) -> httpx.Response:
            response: httpx.Response = client.post(PREDICT, json={"text": text, "block": True})
            return response

        accepted = [pool.submit(predict, "a")]
        server.wait_until(lambda: server.computed == ["a"])
        accepted += [pool.submit(predict, text) for text in "bc"]
        server.wait_until(lambda: server.metric("inference_queue_depth") == 2)
        refused = predict("d")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert server.is_ready()
        server.open_gate()
        assert [each.result().status_code for each in accepted] == [200, 200, 200]
        assert predict("e").status_code == 200
    assert server.metric('inference_rejections_total{reason="queue_full"}') == 1
    assert sorted(server.computed) == ["a", "b", "c", "e"]


def test_deadline(serve: Serve) -> None:
    server = serve(threads=1, max_batch=1, deadline_seconds=0.2)
    with server.client() as client, ThreadPoolExecutor(2) as pool:
        requests = [{"text": text, "block": True} for text in "ab"]
        responses = list(pool.map(lambda request: client.post(PREDICT, json=request), requests))
        assert [response.status_code for response in responses] == [504, 504]
        server.open_gate()
        assert client.post(PREDICT, json={"text": "c"}).status_code == 200
    # One was being computed, the other never was.
    assert len(server.computed) == 2
    assert server.computed[1] == "c"


def test_a_waiting_request_whose_client_leaves_is_not_computed(serve: Serve) -> None:
    server = serve(threads=1, max_batch=1)
    body = json.dumps({"text": "first", "block": True}).encode()
    with connect(server) as first, connect(server) as second:
        first.sendall(head(len(body)) + body)
        server.wait_until(lambda: server.computed == ["first"])
        second.sendall(head(len(body)) + body.replace(b"first", b"other"))
        server.wait_until(lambda: server.metric("inference_queue_depth") == 1)
        second.close()
        server.wait_until(lambda: server.metric("inference_queue_depth") == 0)
        server.open_gate()
        assert first.recv(12) == b"HTTP/1.1 200"
    assert server.computed == ["first"]


def test_a_body_above_the_limit_is_refused_and_the_sender_gets_to_read_it(serve: Serve) -> None:
    server = serve(max_body_bytes=1000)
    size = 30_000_000
    chunk = b"%x\r\n%s\r\n" % (1000, b"x" * 1000)
    bodies = {
        head(size): b"x" * size,
        head("Transfer-Encoding: chunked"): chunk * (size // 1000) + b"0\r\n\r\n",
    }
    for header, body in bodies.items():
        with connect(server) as connection:
            # Sends all of it before it reads the response.
            connection.sendall(header + body)
            response = receive_all(connection)
        assert response.startswith(b"HTTP/1.1 413")
        assert b"larger than 1000 bytes" in response
    # The request for the metrics itself.
    server.wait_until(lambda: server.metric("http_requests_in_progress") == 1)


def test_an_endless_body_ends_with_the_connection(serve: Serve) -> None:
    server = serve(max_body_bytes=1000)
    with connect(server) as connection:
        connection.sendall(head(10**15))
        connection.settimeout(0.5)
        data = b"x" * 65536
        try:
            while True:
                connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
    server.wait_until(lambda: server.metric("http_requests_in_progress") == 1)


def test_a_slow_body_gets_a_timeout(serve: Serve) -> None:
    server = serve(receive_seconds=0.2)
    with connect(server) as connection:
        connection.sendall(head(100) + b'{"text":')
        response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 408")
    assert b"The body did not arrive within 0.2 seconds." in response


def test_a_slow_header_is_cut_off_and_other_clients_are_served(serve: Serve) -> None:
    server = serve(receive_seconds=1)
    connections = [connect(server) for _ in range(50)]
    for connection in connections:
        connection.sendall(b"POST /v1/mod")
    assert server.is_ready()
    for connection in connections:
        assert receive_all(connection) == b""
        connection.close()


def test_headers_have_one_limit_in_one_piece_and_in_many(serve: Serve) -> None:
    server = serve()
    for size, status in ((60_000, b"200"), (70_000, b"431"), (200_000, b"431")):
        lines = [f"X-{number}: {'a' * 990}\r\n" for number in range(size // 1000)]
        request = "GET /v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        header = (request + "".join(lines) + "\r\n").encode()
        for piece in (len(header), 5_000):
            with connect(server) as connection:
                for start in range(0, len(header), piece):
                    connection.sendall(header[start : start + piece])
                assert receive_all(connection).startswith(b"HTTP/1.1 " + status)


def test_connections_that_wait_for_their_clients_make_room(serve: Serve) -> None:
    server = serve(max_connections=3)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connect(server)) for _ in range(4)]
        waiting[3].sendall(head(100) + b"{")
        assert server.is_ready()
        # The oldest two, for the last of them and for the question whether it is ready.
        for connection in waiting[:2]:
            with contextlib.suppress(ConnectionResetError):
                assert receive_all(connection) == b""


def test_a_connection_is_refused_while_none_waits_for_its_client(serve: Serve) -> None:
    server = serve(max_connections=2, threads=2, max_batch=1)
    body = json.dumps({"text": "a", "block": True}).encode()
    with connect(server) as first, connect(server) as second:
        for connection in (first, second):
            connection.sendall(head(len(body)) + body)
        # Until a request is read, its connection waits for its client.
        server.wait_until(lambda: len(server.computed) == 2)
        check_refused(server)
        server.open_gate()
        for connection in (first, second):
            assert connection.recv(12) == b"HTTP/1.1 200"


def check_refused(server: Any) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        response = receive_all(connection)
    assert response.startswith(b"HTTP/1.1 503")
    assert b"application/problem+json" in response
    assert b"The server has as many connections open as it accepts; try again later." in response


def test_other_protocols_are_refused_and_other_clients_are_served(serve: Serve) -> None:
    server = serve()
    for garbage in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a" * 100_000):
        with connect(server) as connection:
            connection.sendall(garbage)
            assert receive_all(connection).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert server.is_ready()


def test_the_log_has_one_json_object_for_each_request(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post(PREDICT, json={"text": "a"}, headers={"x-request-id": "my-id"})
        client.post(PREDICT, json={"text": "a", "crash": True}, headers={"x-request-id": "bad-id"})
    # The line is written once the response is sent.
    server.wait_until(lambda: server.log.count('"status_code"') == 2)
    records = [json.loads(line) for line in server.log.splitlines()]
    success, failed, defect = (
        next(
            record
            for record in records
            if record.get("request_id") == request_id and wanted in record
        )
        for request_id, wanted in (
            ("my-id", "status_code"),
            ("bad-id", "status_code"),
            ("bad-id", "exception"),
        )
    )
    assert success["service"] == "tiny-serve"
    assert success["request_line"] == f"POST {PREDICT} HTTP/1.1"
    assert success["client_addr"].startswith("127.0.0.1:")
    assert success["duration_ms"] > 0
    assert (success["status_code"], failed["status_code"]) == (200, 500)
    assert "ZeroDivisionError: a secret" in defect["exception"]
