"""HTTP servers on this machine that answer as a test tells them."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, TypeVar

Server = TypeVar("Server", bound=BaseServer)
Answer = Callable[["ScriptedHandler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Answers without a line on standard error."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer, JSON unless the headers say otherwise; to HEAD without the content."""
        self.send_response(status)
        headers = {
            "Content-Type": "application/json",
            **(headers or {}),
            "Content-Length": str(len(content)),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class ScriptedServer(ThreadingHTTPServer):
    """Answers the n-th POST by the n-th of `answers`, and all after that by the last.

    Attributes:
        received: the paths and bodies of the requests, of JSON.
        keys: their Authorization headers.
        traces: their traceparent headers.
        released: set when handlers that wait may end.
    """

    daemon_threads = True

    def __init__(self, first: Answer) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.answers = [first]
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str | None] = []
        self.traces: list[str | None] = []
        self.released = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [body for _, body in self.received]

    @staticmethod
    def raw(content: bytes) -> Answer:
        """These bytes, said to be JSON."""
        return lambda handler, body: handler.answer(200, content)

    @staticmethod
    def silence(handler: "ScriptedHandler", body: dict[str, Any]) -> None:
        """No answer until the test ends."""
        handler.server.released.wait()

    @staticmethod
    def cut_off(handler: "ScriptedHandler", body: dict[str, Any]) -> None:
        """The connection is closed in the midst of the answer."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"outputs": [')


class ScriptedHandler(Handler):
    """Gives the answer whose turn it is."""

    server: ScriptedServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.received)
            self.server.received.append((self.path, body))
            self.server.keys.append(self.headers["Authorization"])
            self.server.traces.append(self.headers["traceparent"])
        self.server.answers[min(number, len(self.server.answers) - 1)](self, body)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Serve in a thread, for as long as the block lasts."""
    # The end of the block waits as long as the server takes to look up from its work.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if isinstance(server, ScriptedServer):
            server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
