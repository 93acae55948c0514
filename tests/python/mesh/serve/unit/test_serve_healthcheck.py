"""The health check of containers, against a real socket."""

import http.server
from collections.abc import Iterator

import pytest

from mesh.serve import healthcheck
from services.http import running


class Server(http.server.HTTPServer):
    """Responds to everything with one status and remembers the paths."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with running(Server()) as server:
        monkeypatch.setenv("SERVE_PORT", str(server.server_port))
        yield server


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1), (404, 1)])
def test_only_a_ready_server_is_healthy(server: Server, status: int, exit_code: int) -> None:
    server.status = status
    assert healthcheck.main() == exit_code
    assert server.paths == ["/v1/ready"]


def test_server_that_does_not_listen_is_unhealthy(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.shutdown()
    server.server_close()
    assert healthcheck.main() == 1
    assert "no response" in capsys.readouterr().out
