"""The health check of containers, against a real socket."""

import http.server
import socket
from collections.abc import Iterator

import pytest

from mesh.serve import healthcheck
from services.http import running


class Server(http.server.HTTPServer):
    """Responds to everything with one status and remembers the paths."""

    status = 200

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), Handler)
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


@pytest.mark.parametrize(
    ("address", "host", "exit_code"),
    [
        ("127.0.0.1", None, 0),
        ("127.0.0.1", "", 0),
        ("127.0.0.1", "0.0.0.0", 0),
        ("127.0.0.1", "localhost", 0),
        # A container's network may lack IPv6.
        ("127.0.0.1", "::", 0),
        ("127.0.0.2", "127.0.0.2", 0),
        ("127.0.0.2", "127.0.0.1", 1),
        ("::1", "::", 0),
        ("::1", "::1", 0),
        ("::1", "0.0.0.0", 1),
    ],
)
def test_it_asks_where_the_server_listens(
    monkeypatch: pytest.MonkeyPatch, address: str, host: str | None, exit_code: int
) -> None:
    monkeypatch.delenv("SERVE_HOST", raising=False)
    if host is not None:
        monkeypatch.setenv("SERVE_HOST", host)
    with running(Server(address)) as server:
        monkeypatch.setenv("SERVE_PORT", str(server.server_port))
        assert healthcheck.main() == exit_code


def test_all_addresses_that_gave_no_response_are_named(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERVE_HOST", "::")
    server.shutdown()
    server.server_close()

    assert healthcheck.main() == 1
    said = capsys.readouterr().out
    assert "::1: " in said
    assert "127.0.0.1: " in said
