"""Addresses to listen on, and to be reached at."""

import socket

import pytest

from mesh.serve.addresses import base_url, create_listener, own_addresses, own_url


def is_reached(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "families"),
    [
        ("127.0.0.1", {"127.0.0.1"}),
        ("0.0.0.0", {"127.0.0.1"}),
        ("::1", {"::1"}),
        ("::", {"127.0.0.1", "::1"}),
        ("0:0:0:0:0:0:0:0", {"127.0.0.1", "::1"}),
    ],
)
def test_listener_is_reached_at_the_families_of_its_host(host: str, families: set[str]) -> None:
    with create_listener(host, 0) as listener:
        port = listener.getsockname()[1]
        assert {
            address for address in ("127.0.0.1", "::1") if is_reached(address, port)
        } == families
    # What the health check tries is among them.
    assert set(own_addresses(host)) == families


def test_taken_port_of_either_family_is_refused() -> None:
    for host in ("127.0.0.1", "::1"):
        with create_listener(host, 0) as taken, pytest.raises(OSError, match="in use"):
            create_listener("::", taken.getsockname()[1]).close()


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "fe80::1%eth0", "serve.example.com", ""])
def test_other_hosts_are_tried_themselves(host: str) -> None:
    assert own_addresses(host) == [host]


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("::", False, "http://[::]:80"),
        ("127.0.0.1", True, "https://127.0.0.1:80"),
        ("a.example", False, "http://a.example:80"),
    ],
)
def test_url(host: str, tls: bool, url: str) -> None:
    assert base_url(host, 80, tls=tls) == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "https://127.0.0.1:1"),  # - nothing listens
        ("::", "https://[::1]:1"),
        ("10.0.0.7", "https://10.0.0.7:1"),
        ("localhost", "https://localhost:1"),
    ],
)
def test_urls_that_lead_to_a_server_of_this_machine(host: str, url: str) -> None:
    assert own_url(host, 1, tls=True) == url
