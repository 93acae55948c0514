"""Clients that take nothing of their responses don't keep them in the server's memory."""

import contextlib
import socket
from typing import Any

from grpc_calls import SERVICE, GrpcCaller, infer_request


def test_a_client_that_takes_nothing_is_cut_off(serve: Any) -> None:
    server = serve(send_seconds=1)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        # More than the buffers of the system hold.
        connection.sendall(b"GET /docs/swagger-ui.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8)
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 2)
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 1)
    assert "Traceback" not in server.log


def test_streams_of_http_2_that_take_nothing_are_cut_off(launch: Any) -> None:
    server = launch(server="hypercorn", http2=True, send_seconds=1, keep_alive_seconds=1)
    server.wait_until(server.is_ready)
    no_window = frame(4, 0, b"\0\4\0\0\0\0")
    fields = {":method": "GET", ":scheme": "http", ":authority": "localhost"}
    script = header_block({**fields, ":path": "/docs/swagger-ui.js"})
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + no_window)
        connection.sendall(b"".join(frame(1, 2 * n + 1, script, flags=5) for n in range(20)))
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 21)
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 1)
        while connection.recv(65536):
            pass
    assert "Traceback" not in server.log


def test_messages_over_grpc_that_arrive_slowly_keep_nobody_out(launch: Any) -> None:
    # One of the largest message may arrive at a time.
    server = launch(grpc_port=0, max_bytes_in_flight=8 * 1024 * 1024)
    server.wait_until(server.is_ready)
    host, port = server.grpc_address.split(":")
    fields = {":method": "POST", ":scheme": "http", ":authority": "localhost", "te": "trailers"}
    script = header_block(
        {**fields, ":path": f"/{SERVICE}/ModelInfer", "content-type": "application/grpc"}
    )
    part = frame(0, 1, b"\0" + (1_000_000).to_bytes(4) + b"a")
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            slow.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, b""))
            slow.sendall(frame(1, 1, script, flags=4) + part)
        server.wait_until(lambda: server.metric("http_requests_in_progress") == 4)
        with GrpcCaller(server.grpc_address) as caller:
            assert caller.infer(infer_request("a")).model_name == "tiny"
        server.wait_until(lambda: server.metric("http_requests_in_progress") <= 2)
    assert "Traceback" not in server.log


def frame(kind: int, stream: int, payload: bytes, flags: int = 0) -> bytes:
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def header_block(fields: dict[str, str]) -> bytes:
    """Headers for HTTP/2, as literals that aren't indexed."""
    texts = [text.encode() for field in fields.items() for text in field]
    literals = [bytes([len(text)]) + text for text in texts]
    return b"".join(
        b"\0" + name + value for name, value in zip(literals[::2], literals[1::2], strict=True)
    )
