"""Services on this machine that answer as they are told."""

import json
import threading
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

Answer = Callable[["Handler", dict[str, Any]], None]


class JsonServer(ThreadingHTTPServer):
    """Answers the n-th request by the n-th of `answers`, and all after that by the last.

    Attributes:
        received: the paths and bodies of the requests.
        released: set when handlers that wait may end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [self.entities()]
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.released = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @staticmethod
    def entities(*entities: dict[str, Any]) -> Answer:
        """An entity-fishing server's answer, in the shape of version 0.0.6."""

        def answer(handler: Handler, body: dict[str, Any]) -> None:
            content = {
                "software": "entity-fishing",
                "version": "0.0.6",
                "date": "2024-01-01T00:00:00.000000Z",
                "runtime": 17,
                "nbest": False,
                "text": body["text"],
                "language": {"lang": body["language"]["lang"], "conf": 1.0},
                "global_categories": [
                    {"weight": 0.5, "source": "wikipedia-en", "category": "Capitals", "page_id": 1}
                ],
                "entities": list(entities),
            }
            handler.answer(200, json.dumps(content).encode())

        return answer

    @staticmethod
    def status(code: int, headers: dict[str, str] | None = None) -> Answer:
        return lambda handler, body: handler.answer(code, b"secret detail", headers)

    @staticmethod
    def raw(content: bytes) -> Answer:
        return lambda handler, body: handler.answer(200, content)

    @staticmethod
    def silence(handler: "Handler", body: dict[str, Any]) -> None:
        """No answer until the test ends."""
        handler.server.released.wait()

    @staticmethod
    def cut_off(handler: "Handler", body: dict[str, Any]) -> None:
        """The connection is closed in the midst of the answer."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"entities": [')


class Handler(BaseHTTPRequestHandler):
    server: JsonServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.received)
            self.server.received.append((self.path, body))
        self.server.answers[min(number, len(self.server.answers) - 1)](self, body)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": "application/json", **(headers or {})}
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def fishing() -> Iterator[JsonServer]:
    yield from serve()


@pytest.fixture
def ner() -> Iterator[JsonServer]:
    yield from serve()


def serve() -> Iterator[JsonServer]:
    server = JsonServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
