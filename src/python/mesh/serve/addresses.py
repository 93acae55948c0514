"""Addresses that a server listens on, and those at which its own machine reaches it."""

import ipaddress
import socket


def create_listener(host: str, port: int, backlog: int | None = None) -> socket.socket:
    """A socket that listens on an address or a host's first one; on `::`, for both families.

    Raises:
        OSError: another process has the port, or the address isn't this machine's.
    """
    [(family, *_, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # Where a machine has one family only, the other one has no clients either.
    both = _is_unspecified(address[0]) and family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, backlog=backlog, dualstack_ipv6=both)


def base_url(host: str, port: int, *, tls: bool = False) -> str:
    """The URL of a server on this machine."""
    return f"{'https' if tls else 'http'}://{with_port(host, port)}"


def own_url(host: str, port: int, *, tls: bool = False) -> str:
    """The URL at which a server that listens on a host is reached from its own machine."""
    return base_url(own_addresses(host)[0], port, tls=tls)


def with_port(host: str, port: int) -> str:
    """A host and a port, as URLs have them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def own_addresses(host: str) -> list[str]:
    """Where a server that listens on a host is reached from its own machine, in the order to try."""
    if not _is_unspecified(host):
        return [host]
    # A container's network may lack either family.
    return ["::1", "127.0.0.1"] if ":" in host else ["127.0.0.1"]


def _is_unspecified(host: object) -> bool:
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_unspecified
    except ValueError:
        return False
