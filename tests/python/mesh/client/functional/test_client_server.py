"""Both clients against a running server."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mesh.client import AsyncClient, CallError, Client
from mesh.core.errors import UsageError
from mesh.serve.documents import RefusedDocument
from services.http import running
from words_server import Count, Request, Response

TEXTS = [f"word {'more ' * (number % 7)}" for number in range(150)]
WORDS = [1 + number % 7 for number in range(150)]


def request(*texts: str, **configuration: Any) -> Request:
    inputs = [{"document": text} for text in texts]
    return Request.model_validate({"inputs": inputs, "configuration": configuration})


class InThread:
    """The asynchronous client with the methods of the other one."""

    def __init__(self, url: str, **options: Any) -> None:
        self._arguments = (url, "words", Request, Response)
        self._options = options

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **options: Any) -> Any:
            async with AsyncClient(*self._arguments, **self._options) as client:
                found = getattr(client, name)(*arguments, **options)
                if hasattr(found, "__aiter__"):
                    return [each async for each in found]
                return await found

        return lambda *arguments, **options: asyncio.run(call(*arguments, **options))


@pytest.fixture(params=["client", "asynchronous client"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Make a client of a server by its URL."""
    clients: list[Client[Request, Response]] = []

    def _connect(url: str, **options: Any) -> Any:
        if request.param != "client":
            return InThread(url, **options)
        clients.append(Client(url, "words", Request, Response, **options))
        return clients[-1]

    yield _connect
    for client in clients:
        client.close()


def ready(connect: Callable[..., Any], url: str) -> Any:
    client = connect(url)
    # Until the model is loaded.
    client.predict(request("a"))
    return client


def test_predictions_are_instances_of_the_schema(connect: Callable[..., Any], url: str) -> None:
    client = ready(connect, url)
    response = client.predict(request("two words", "one"))
    assert response == Response(outputs=[Count(words=2), Count(words=1)])
    nothing: dict[str, Any] = {"runs_on": [], "precision": None}
    assert client.bio() == {"model_name": "words", "model_card": {}, **nothing}
    assert client.is_ready()


def test_long_lists_are_sent_in_several_requests(connect: Callable[..., Any], url: str) -> None:
    client = ready(connect, url)
    assert [each.words for each in client.outputs(TEXTS)] == WORDS
    refused = list(client.outputs([*TEXTS, " "], configuration={"on_error": "item"}))
    assert refused[-1] == RefusedDocument(error="It has no words.")


def test_streams_yield_outputs_of_the_schema(connect: Callable[..., Any], url: str) -> None:
    client = ready(connect, url)
    found = list(client.stream(request("one two", " ", "one", on_error="item")))
    assert found == [Count(words=2), RefusedDocument(error="It has no words."), Count(words=1)]


def test_what_the_server_refuses_is_an_error_for_people(
    connect: Callable[..., Any], url: str
) -> None:
    client = ready(connect, url)
    for call in (client.predict, lambda each: list(client.stream(each))):
        with pytest.raises(CallError) as refused:
            call(request(" "))
        assert refused.value.status == 422
        assert "Document 0: It has no words." in str(refused.value)
        assert f"(request {refused.value.problem.request_id})" in str(refused.value)
    with pytest.raises(CallError, match="ended the stream early: Document 1: It has no words"):
        list(client.stream(request("one", " ")))


class Recorder(BaseHTTPRequestHandler):
    """Refuses the first request for now, and records the headers of all."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        seen = self.server.seen  # type: ignore[attr-defined]
        seen.append(dict(self.headers))
        status, content = (503, b"{}") if len(seen) == 1 else (200, b'{"outputs": []}')
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_the_key_is_sent_with_each_attempt(connect: Callable[..., Any]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.seen = []  # type: ignore[attr-defined]
    with running(server):
        client = connect(f"http://127.0.0.1:{server.server_port}/", key="k-1")
        assert client.predict(request("a")) == Response(outputs=[])
        headers = server.seen  # type: ignore[attr-defined]
    assert [each["Authorization"] for each in headers] == ["Bearer k-1"] * 2


@pytest.mark.parametrize("key", ["a\nb", "ключ", " a", "a\x00", "a b", ""])
def test_a_key_that_no_header_may_have_is_refused(connect: Callable[..., Any], key: str) -> None:
    with pytest.raises(UsageError) as refused:
        connect("http://127.0.0.1:1", key=key).is_ready()
    assert not key or key not in str(refused.value)


def test_a_server_that_drips_its_response_gets_no_more_than_the_deadline(
    connect: Callable[..., Any],
) -> None:
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not ended.wait(0.05):
                connection.send(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        try:
            client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3)
            with pytest.raises(CallError, match="did not respond in time"):
                client.predict(request("a"))
        finally:
            ended.set()
            thread.join(30)


def test_nothing_there_is_an_error_and_not_ready(connect: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}", attempts=2)
    with pytest.raises(CallError, match="can't be reached") as failed:
        client.predict(request("a"))
    assert failed.value.status is None
    assert not client.is_ready()


@pytest.mark.parametrize("content", [b"<html>", b'{"outputs": 3}', b""])
def test_a_response_that_is_none_of_the_schemas_is_an_error(
    connect: Callable[..., Any], content: bytes
) -> None:
    with answering(content) as url, pytest.raises(CallError, match="that can't be read"):
        connect(url).predict(request("a"))


@pytest.mark.parametrize("line", [b"<html>", b'{"problem": 3}', b'{"problem":' + b"[" * 50_000])
def test_a_line_that_is_none_of_the_schemas_is_an_error(
    connect: Callable[..., Any], line: bytes
) -> None:
    with answering(line) as url, pytest.raises(CallError, match="that can't be read"):
        list(connect(url).stream(request("a")))


@contextlib.contextmanager
def answering(content: bytes) -> Iterator[str]:
    """The URL of a server that has one answer to everything."""

    class Other(Recorder):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Other)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
