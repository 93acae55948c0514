"""A chat endpoint on this machine, which answers as it is told."""

import json
import re
import threading
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

Answer = Callable[["Handler", dict[str, Any]], None]


class ChatServer(ThreadingHTTPServer):
    """Answers the n-th request by the n-th of `answers`, and all after that by the last.

    Attributes:
        received: the bodies of the requests.
        keys: their Authorization headers.
        released: set when handlers that wait may end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [self.completion("A summary.")]
        self.received: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @staticmethod
    def completion(text: str, finish_reason: str = "stop") -> Answer:
        """A whole answer, or a stream where one is asked for."""

        def answer(handler: Handler, body: dict[str, Any]) -> None:
            usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
            if body.get("stream"):
                choices = [
                    [{"index": 0, "delta": {"role": "assistant", "content": ""}}],
                    *(
                        [{"index": 0, "delta": {"content": word}}]
                        for word in re.split(r"(?<= )", text)
                    ),
                    [{"index": 0, "delta": {}, "finish_reason": finish_reason}],
                ]
                events: list[dict[str, Any]] = [{"choices": choice} for choice in choices]
                events.append({"choices": [], "usage": usage})
                lines = [f"data: {json.dumps(event)}\n\n" for event in events] + [
                    "data: [DONE]\n\n"
                ]
                handler.answer(200, "".join(lines).encode(), {"Content-Type": "text/event-stream"})
            else:
                message = {"role": "assistant", "content": text}
                choice = {"index": 0, "message": message, "finish_reason": finish_reason}
                handler.answer(200, json.dumps({"choices": [choice], "usage": usage}).encode())

        return answer

    @staticmethod
    def status(code: int, headers: dict[str, str] | None = None, error: str = "no") -> Answer:
        content = json.dumps({"error": {"message": "secret detail", "code": error}}).encode()
        return lambda handler, body: handler.answer(code, content, headers)

    @staticmethod
    def raw(content: bytes) -> Answer:
        return lambda handler, body: handler.answer(200, content)

    @staticmethod
    def silence(handler: "Handler", body: dict[str, Any]) -> None:
        """No answer until the test ends."""
        handler.server.released.wait()


class Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        assert self.path == "/v1/chat/completions"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.received)
            self.server.received.append(body)
            self.server.keys.append(self.headers["Authorization"])
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
def chat() -> Iterator[ChatServer]:
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
