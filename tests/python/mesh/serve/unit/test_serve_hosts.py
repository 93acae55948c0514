"""Hosts that requests may be sent to."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo_model import Echo, Serve
from mesh.serve.hosts import allowed_hosts, host_name

ALWAYS = ["localhost", "127.0.0.1", "::1", "10.1.2.3"]
NAMES = ["serve", "a.example.com", "example.com"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8001", "localhost"),
        ("localhost.:8001", "localhost"),
        ("127.0.0.1:8001", "127.0.0.1"),
        ("[::1]:8001", "::1"),
        ("a_b.c-d.example", "a_b.c-d.example"),
        ("", ""),
        ("a b", None),
        ("a:b", None),
        ("a:1:2", None),
        ("::1", None),
        ("user@a", None),
        ("a,b", None),
        ("a/b", None),
        ("a\n", None),
    ],
)
def test_the_name_of_a_host(value: str, name: str | None) -> None:
    assert host_name(value) == name


@given(st.text())
def test_any_header_has_a_name_or_none(value: str) -> None:
    name = host_name(value)
    assert name is None or name in value.lower()


@pytest.mark.parametrize(
    ("setting", "host", "address", "allowed"),
    [
        ("", "127.0.0.1", "127.0.0.1", []),
        ("", "::1", "::1", []),
        ("", "serve", "127.0.1.1", ["serve"]),
        ("", "0.0.0.0", "0.0.0.0", NAMES),
        ("", "::", "::", NAMES),
        ("", "10.1.2.3", "10.1.2.3", NAMES),
        ("", "fe80::1%eth0", "fe80::1%eth0", NAMES),
        ("example.com", "0.0.0.0", "0.0.0.0", ["example.com"]),
        ("*.example.com", "127.0.0.1", "127.0.0.1", ["a.example.com"]),
        (" Serve , [::1]", "127.0.0.1", "127.0.0.1", ["serve"]),
        ("*", "127.0.0.1", "127.0.0.1", NAMES),
    ],
)
def test_the_hosts_of_a_server(setting: str, host: str, address: str, allowed: list[str]) -> None:
    hosts = allowed_hosts(setting, host, address)
    assert [name for name in NAMES if name in hosts] == allowed
    assert all(name in hosts for name in ALWAYS)


def test_an_app_without_a_server_takes_any_host(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/live", headers={"host": "site.example"})
        assert response.status_code == 200

    asyncio.run(scenario())
