"""Both HTTP servers read the same bytes alike; docs/serve.md lists the differences."""

import json
import re
import socket
import time
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PREDICT = "/v1/model/tiny/predict"
BODY = json.dumps({"text": "a"}).encode()
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
OFFER = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")


def post(
    *more: str,
    target: str = PREDICT,
    version: str = "1.1",
    host: str | None = "localhost",
    kind: str = "application/json",
    body: bytes = BODY,
) -> bytes:
    """A request; with Content-Length unless more headers say where it ends."""
    has_end = any(line.lower().startswith(("content-length", "transfer-encoding")) for line in more)
    lines = [
        f"POST {target} HTTP/{version}",
        *([] if host is None else [f"Host: {host}"]),
        f"Content-Type: {kind}",
        *([] if has_end else [f"Content-Length: {len(body)}"]),
        *more,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(line: str = "GET /v1/live HTTP/1.1", *more: str) -> bytes:
    return "\r\n".join([line, "Host: localhost", *more]).encode("latin-1") + b"\r\n\r\n"


def chunked(*more: str, body: bytes = CHUNKS) -> bytes:
    return post(CHUNKED, *more, body=body)


WITH_OFFER = post(*OFFER)
LENGTH = f"Content-Length: {len(BODY)}"

ALIKE = {
    # Media types and codings.
    "utf8": (post(kind="application/json; charset=utf8"), [200]),
    "UTF8": (post(kind='application/json;charset="UTF8"'), [200]),
    "latin-1": (post(kind="application/json; charset=latin-1"), [415]),
    "identity": (post("Content-Encoding: identity"), [200]),
    "Identity": (post("Content-Encoding: Identity"), [200]),
    "gzip": (post("Content-Encoding: gzip"), [415]),
    "Content-Type twice": (post("Content-Type: application/json"), [400]),
    "Content-Type in any case twice": (post("CONTENT-TYPE: text/plain"), [400]),
    # Hosts.
    "a port": (post(host="localhost:99"), [200]),
    "IPv4": (post(host="127.0.0.1"), [200]),
    "IPv6": (post(host="[::1]:80"), [200]),
    "capitals": (post(host="LOCALHOST."), [200]),
    "another host": (post(host="site.example"), [421]),
    "a host that begins alike": (post(host="localhost.site.example"), [421]),
    "a host that ends alike": (post(host="site-localhost"), [421]),
    "an address of the network": (post(host="10.0.0.1:8000"), [200]),
    "a host that begins with an address": (post(host="10.0.0.1.site.example"), [421]),
    "an empty host": (post(host=""), [421]),
    "no host": (post(host=None), [400]),
    "no host in HTTP/1.0": (post(host=None, version="1.0"), [200]),
    "two hosts": (post("Host: localhost"), [400]),
    "not a host": (post(host="a b"), [400]),
    "a host with a user": (post(host="user@localhost"), [400]),
    "two hosts in one": (post(host="localhost, localhost"), [400]),
    # Targets.
    "a URL": (post(target=f"http://localhost{PREDICT}"), [200]),
    "a URL in capitals": (post(target=f"HTTP://LOCALHOST:1{PREDICT}"), [200]),
    "a URL of another host": (post(target=f"http://site.example{PREDICT}"), [421]),
    "a URL beats the host": (post(target=f"https://localhost{PREDICT}", host="a.example"), [200]),
    "a URL without a host": (post(target=f"http://localhost{PREDICT}", host=None), [400]),
    "a URL of another host in HTTP/1.0": (
        post(target=f"http://site.example{PREDICT}", host=None, version="1.0"),
        [421],
    ),
    "a URL without a path": (get("GET http://localhost HTTP/1.1"), [200]),
    "a URL with a query alone": (get("GET http://localhost?a=b HTTP/1.1"), [200]),
    "a URL with a user": (get("GET http://user@localhost/ HTTP/1.1"), [400]),
    "a URL of another protocol": (get("GET ftp://localhost/ HTTP/1.1"), [400]),
    "a URL in a query": (get("GET /v1/live?url=http://a/b HTTP/1.1"), [200]),
    "a fragment": (get("GET /v1/live#a HTTP/1.1"), [400]),
    "two slashes": (get("GET //a.example/v1/live HTTP/1.1"), [404]),
    "quoted letters": (get("GET /v1/l%69ve HTTP/1.1"), [200]),
    "quoted bytes": (get("GET /v1/%ff%zz HTTP/1.1"), [404]),
    "bytes": (get("GET /v1/\xe9 HTTP/1.1"), [400]),
    "a relative path": (get("GET v1/live HTTP/1.1"), [400]),
    "an asterisk": (get("OPTIONS * HTTP/1.1"), [400]),
    "a tunnel": (get("CONNECT localhost:80 HTTP/1.1"), [400]),
    # The body's end.
    "chunked": (chunked(), [200]),
    "CHUNKED": (post("TRANSFER-ENCODING: CHUNKED", body=CHUNKS), [200]),
    "extensions of chunks": (chunked(body=CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)), [200]),
    "trailers": (chunked(body=CHUNKS[:-2] + b"Content-Type: a/b\r\nHost: b\r\n\r\n"), [200]),
    "both lengths": (chunked(LENGTH) + get(), [400]),
    "both lengths, reversed": (post(LENGTH, CHUNKED, body=CHUNKS) + get(), [400]),
    "a smuggled request": (post("Content-Length: 5", CHUNKED, body=b"0\r\n\r\n") + get(), [400]),
    "two lengths": (post("Content-Length: 5", LENGTH), [400]),
    "a signed length": (post(f"Content-Length: +{len(BODY)}"), [400]),
    "no length": (post("Content-Length: "), [400]),
    "another coding": (post("Transfer-Encoding: identity"), [400]),
    "two codings": (post("Transfer-Encoding: gzip, chunked", body=CHUNKS), [400]),
    "chunked twice": (chunked(CHUNKED), [400]),
    "not a chunk": (chunked(body=b"zz\r\n"), [400]),
    "a chunk that is too long": (chunked(body=b"5\r\nabcdefg\r\n0\r\n\r\n"), [400]),
    "an end before the body's": (post()[:-1], [400]),
    "an end within a chunk": (chunked()[:-5], [400]),
    "an end within the header": (post()[:30], [400]),
    "nothing": (b"", []),
    # Offers to change to another protocol.
    "an offer": (WITH_OFFER, [200]),
    "an offer in capitals": (post("CONNECTION: UPGRADE", "UPGRADE: H2C"), [200]),
    "an offer in mixed case": (post("cOnNection: uPgrade", "uPgRaDe: h2c"), [200]),
    "an offer with chunks": (chunked(*OFFER), [200]),
    "an offer without a body": (get("GET /v1/live HTTP/1.1", *OFFER), [200]),
    "an offer of WebSocket": (
        get("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: websocket"),
        [200],
    ),
    "offers in a row": (post() + WITH_OFFER + WITH_OFFER + get(), [200, 200, 200, 200]),
    # Other protocols and versions.
    "TLS": (b"\x16\x03\x01\x02\x00\r\n\r\n", [400]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "text": (b"hello\r\n\r\n", [400]),
    "zeros": (bytes(100), [400]),
    "HTTP/2.0": (get("GET /v1/live HTTP/2.0"), [505]),
    "http": (get("GET /v1/live http/1.1"), [400]),
    "small letters": (get("get /v1/live HTTP/1.1"), [400]),
    "a method that no path has": (get("PATCH /v1/live HTTP/1.1"), [405]),
    # Headers.
    "a space before the colon": (get("GET / HTTP/1.1", "A : b"), [400]),
    "no colon": (get("GET / HTTP/1.1", "A"), [400]),
    "a zero": (get("GET / HTTP/1.1", "A: \0"), [400]),
    "a return": (get("GET / HTTP/1.1", "A: b\rc"), [400]),
    "Latin letters": (get("GET / HTTP/1.1", "A: \xe9"), [200]),
    # Several requests.
    "requests in a row": (post() + chunked() + get(), [200, 200, 200]),
    "after the last request": (post("Connection: close") + get(), [200]),
    "no request after another": (post() + get() + b"hello\r\n\r\n", [200, 200, 400]),
}
"""Bytes, and the statuses of the responses to them."""

DIFFERENT = {
    "the same length twice": (post(LENGTH, LENGTH), [400], [200]),
    "a list of the same length": (post(f"{LENGTH}, {len(BODY)}"), [400], [200]),
    "lines that end with LF alone": (get().replace(b"\r", b""), [400], [200]),
    "a header of two lines": (get("GET / HTTP/1.1", "A: b", " c"), [400], [200]),
    "a control character": (get("GET / HTTP/1.1", "A: \1"), [400], [200]),
    "an empty line before a request": (b"\r\n" + get(), [200], [400]),
    "two spaces in the first line": (get("GET  / HTTP/1.1"), [200], [400]),
    "an unknown method": (get("FOO / HTTP/1.1"), [400], [405]),
    "an unknown version": (get("GET / HTTP/1.2"), [400], [505]),
    "no version": (b"GET /\r\n\r\n", [505], [400]),
}
"""Bytes, and the statuses of Uvicorn's and Hypercorn's responses to them."""


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def connect(server: Any) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive_all(connection: socket.socket) -> list[Response]:
    """The responses until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    responses = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        assert re.match(r"HTTP/1\.1 [0-9]{3}", first)
        size = int(headers.get("content-length", 0))
        responses.append(Response(int(first[9:12]), headers, received[:size]))
        received = received[size:]
    return responses


def statuses(server: Any, *pieces: bytes) -> list[int]:
    """The statuses of the responses to a client that sends pieces and then no more."""
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        responses = receive_all(connection)
    for response in responses:
        if response.status >= 400:
            check_problem(server, response)
    return [response.status for response in responses]


def check_problem(server: Any, response: Response) -> None:
    problem = json.loads(response.body)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    server.wait_until(lambda: problem["request_id"] in server.log)


@pytest.mark.parametrize("name", ALIKE)
def test_servers_respond_alike(both: dict[str, Any], name: str) -> None:
    sent, expected = ALIKE[name]
    assert {each: statuses(server, sent) for each, server in both.items()} == {
        "uvicorn": expected,
        "hypercorn": expected,
    }


@pytest.mark.parametrize("name", DIFFERENT)
def test_servers_differ(both: dict[str, Any], name: str) -> None:
    sent, of_uvicorn, of_hypercorn = DIFFERENT[name]
    assert statuses(both["uvicorn"], sent) == of_uvicorn
    assert statuses(both["hypercorn"], sent) == of_hypercorn


def test_hypercorn_asks_for_a_body_before_it_is_refused(both: dict[str, Any]) -> None:
    sent = post("Expect: 100-continue", f"Content-Length: {10**9}", body=b"")
    for name, expected in {"uvicorn": [413], "hypercorn": [100, 413]}.items():
        with connect(both[name]) as connection:
            connection.sendall(sent)
            assert [response.status for response in receive_all(connection)] == expected


@pytest.mark.parametrize("name", ["offers in a row", "chunked", "trailers", "not a chunk", "TLS"])
def test_pieces_do_not_matter(both: dict[str, Any], name: str) -> None:
    sent, expected = ALIKE[name]
    pieces = [sent[index : index + 1] for index in range(len(sent))]
    for server in both.values():
        assert statuses(server, *pieces) == expected


@settings(max_examples=50)
@given(
    sent=st.sampled_from([WITH_OFFER + post(), chunked() + get(), b""]),
    start=st.floats(0, 1),
    size=st.integers(0, 20),
    inserted=st.binary(max_size=20) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b":", b" "]),
)
def test_any_bytes_get_responses(
    both: dict[str, Any], sent: bytes, start: float, size: int, inserted: bytes
) -> None:
    place = round(start * len(sent))
    changed = sent[:place] + inserted + sent[place + size :]
    for server in both.values():
        assert {status for status in statuses(server, changed) if status >= 500} <= {505}
        assert "Traceback" not in server.log


def test_a_setting_names_the_hosts(launch: Any) -> None:
    server = launch(allowed_hosts="mesh.example,*.internal")
    server.wait_until(server.is_ready)
    hosts = {"mesh.example": 200, "a.internal:8000": 200, "site.example": 421, "10.0.0.1": 200}
    assert {host: statuses(server, post(host=host)) for host in hosts} == {
        host: [status] for host, status in hosts.items()
    }


@pytest.mark.parametrize("name", ["TLS", "a tunnel", "not a chunk", "both lengths", "two hosts"])
def test_a_refusal_ends_the_connection_of_a_client_that_could_send_more(
    both: dict[str, Any], name: str
) -> None:
    sent, expected = ALIKE[name]
    for server in both.values():
        with connect(server) as connection:
            connection.sendall(sent)
            assert [response.status for response in receive_all(connection)] == expected


def test_a_client_that_sends_on_gets_its_refusal(both: dict[str, Any]) -> None:
    for server in both.values():
        with connect(server) as connection:
            connection.sendall(b"\x16")
            assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 400"
            for _ in range(3):
                connection.sendall(b"\x03" * 1000)
                # A connection that was closed at once is reset by what comes then.
                time.sleep(0.05)
            connection.shutdown(socket.SHUT_WR)
            assert [response.status for response in receive_all(connection)] == [400]


@pytest.mark.parametrize(("version", "interim"), [("1.0", False), ("1.1", True)])
def test_a_client_that_sends_no_more_waits_for_a_long_computation(
    both: dict[str, Any], version: str, interim: bool
) -> None:
    sent = post(version=version, body=json.dumps({"text": version, "block": True}).encode())
    with connect(both["uvicorn"]) as one, connect(both["hypercorn"]) as other:
        for connection in (one, other):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        if interim:
            for connection in (one, other):
                assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 100"
        for server, connection in zip(both.values(), (one, other), strict=True):
            gate = server.folder / "gate"
            gate.touch()
            *others, response = receive_all(connection)
            gate.unlink()
            assert {each.status for each in others} == ({100} if interim else set())
            assert json.loads(response.body) == {"text": version, "batch": 1}
