"""Servers on addresses of either family, or of both, and the health check of their containers."""

import http.client
from collections.abc import Callable
from typing import Any

import pytest

from mesh.serve import healthcheck


def answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=60)
    try:
        connection.request("GET", "/v1/live")
        return connection.getresponse().status == http.client.OK
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "reached", "refused"),
    [("::", ["127.0.0.1", "::1"], []), ("::1", ["::1"], ["127.0.0.1"])],
)
def test_server_is_reached_and_healthy_where_it_listens(
    start: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    reached: list[str],
    refused: list[str],
) -> None:
    server = start(host=host)
    monkeypatch.setenv("SERVE_HOST", host)
    monkeypatch.setenv("SERVE_PORT", str(server.port))

    server.wait_until(lambda: healthcheck.main() == 0)

    assert all(answers(address, server.port) for address in reached)
    assert not any(answers(address, server.port) for address in refused)
    assert f"http://[{host}]:{server.port}" in server.log
