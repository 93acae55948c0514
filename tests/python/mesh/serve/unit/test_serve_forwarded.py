"""Addresses and schemes that proxies tell."""

import asyncio
from typing import Any

import pytest

from mesh.serve.access.forwarded import Forwarded
from mesh.serve.access.lists import parse_networks

PROXIES = "10.0.0.0/24, 192.168.1.1, fd00::/8"


def forwarded(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.update(scope)

    scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 5000) if peer else None,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    middleware = Forwarded(app, parse_networks(PROXIES))
    asyncio.run(middleware(scope, None, None))  # type: ignore[arg-type]
    return seen


FOR = "x-forwarded-for"


@pytest.mark.parametrize(
    ("peer", "values", "client"),
    [
        # Clients that are no proxies claim nothing.
        ("8.8.8.8", ["1.2.3.4"], "8.8.8.8"),
        ("10.0.1.1", ["1.2.3.4"], "10.0.1.1"),
        ("unix", ["1.2.3.4"], "unix"),
        # Proxies do.
        ("10.0.0.7", ["1.2.3.4"], "1.2.3.4"),
        ("192.168.1.1", ["1.2.3.4"], "1.2.3.4"),
        ("::ffff:10.0.0.7", ["1.2.3.4"], "1.2.3.4"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        # What stands before the client's address comes from the client.
        ("10.0.0.7", ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.7", ["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.7", ["10.0.0.9, 1.2.3.4"], "1.2.3.4"),
        # Several proxies.
        ("10.0.0.7", ["1.2.3.4, 10.0.0.8"], "1.2.3.4"),
        ("10.0.0.7", ["1.2.3.4, 10.0.0.8", "192.168.1.1"], "1.2.3.4"),
        ("10.0.0.7", ["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        # Ports.
        ("10.0.0.7", ["1.2.3.4:80"], "1.2.3.4"),
        ("10.0.0.7", ["[2001:db8::1]:80"], "2001:db8::1"),
        # Texts that aren't addresses.
        ("10.0.0.7", [""], "10.0.0.7"),
        ("10.0.0.7", ["unknown"], "10.0.0.7"),
        ("10.0.0.7", ["1.2.3.4, <script>"], "10.0.0.7"),
        ("10.0.0.7", ["1.2.3.4, x, 10.0.0.8"], "10.0.0.8"),
        ("10.0.0.7", ["," * 5000], "10.0.0.7"),
        ("10.0.0.7", [], "10.0.0.7"),
    ],
)
def test_the_client_of_a_request(peer: str, values: list[str], client: str) -> None:
    assert forwarded(peer, *((FOR, value) for value in values))["client"][0] == client


@pytest.mark.parametrize(
    ("peer", "value", "scheme"),
    [
        ("10.0.0.7", "https", "https"),
        ("10.0.0.7", "HTTPS", "https"),
        ("10.0.0.7", "http, https", "https"),
        ("10.0.0.7", "javascript", "http"),
        ("8.8.8.8", "https", "http"),
    ],
)
def test_the_scheme_of_a_request(peer: str, value: str, scheme: str) -> None:
    assert forwarded(peer, ("x-forwarded-proto", value))["scheme"] == scheme


def test_a_request_without_an_address() -> None:
    assert forwarded(None, (FOR, "1.2.3.4"))["client"] is None
