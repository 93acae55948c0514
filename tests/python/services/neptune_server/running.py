"""A stand-in of a Neptune server: real HTTP, objects in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.http import running
from services.neptune_server import specification
from services.neptune_server.contents import ApiError
from services.neptune_server.server import NeptuneServer

_SPECIFICATIONS = {
    "backend": specification.BACKEND,
    "leaderboard": specification.LEADERBOARD,
    "artifacts": specification.ARTIFACTS,
}


@contextmanager
def run_neptune() -> Iterator[NeptuneServer]:
    """A server that listens until the block ends."""
    state = NeptuneServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else each body waits until the client has acknowledged the headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path.endswith("/swagger.json"):
                spec = _SPECIFICATIONS[path.path.split("/")[2]]
                host = {"host": urlsplit(state.url).netloc, "schemes": ["http"]}
                return self._send(200, json.dumps(spec | host).encode())
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            query = {name: values[0] for name, values in parse_qs(path.query, True).items()}
            try:
                answer = state.answer(path.path.rpartition("/")[2], query, self.headers, body)
            except ApiError as error:
                content = {"errorType": error.error_type, "title": "refused"}
                return self._send(error.status, json.dumps(content).encode())
            if isinstance(answer, bytes):
                return self._send(200, answer, "application/octet-stream")
            return self._send(200, json.dumps(answer).encode())

        do_POST = do_PUT = do_GET

        def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    with running(server):
        yield state
