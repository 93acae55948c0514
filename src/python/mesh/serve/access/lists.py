"""Settings that are lists: origins of pages, networks of proxies."""

import ipaddress
import re
from collections.abc import Iterator

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY_ORIGIN = "*"
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {("http", "80"), ("https", "443")}


def split_list(text: str) -> list[str]:
    """The parts of a text that commas separate."""
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_origins(text: str) -> frozenset[str]:
    """Read origins, as browsers write them.

    Raises:
        ValueError: one of them is none.
    """
    return frozenset(_origins(text))


def _origins(text: str) -> Iterator[str]:
    for part in split_list(text):
        match = _ORIGIN.fullmatch(part.lower())
        if part == ANY_ORIGIN:
            yield part
        elif match is None:
            raise ValueError(
                f"{part!r} is not an origin; https://app.example.com is one, without path, or *"
            )
        elif (match["scheme"], match["port"]) in _DEFAULT_PORTS:
            yield f"{match['scheme']}://{match['host']}"
        else:
            yield match[0]


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks.

    Raises:
        ValueError: one of them is none, or any address is in it.
    """
    return tuple(_networks(text))


def _networks(text: str) -> Iterator[Network]:
    for part in split_list(text):
        try:
            network = ipaddress.ip_network(part)
        except ValueError as error:
            raise ValueError(
                f"{part!r} is not an address or a network, such as 10.0.0.7 or 10.0.0.0/24"
            ) from error
        if network.prefixlen == 0:
            raise ValueError(f"{part!r} would let any client claim another address")
        yield network


def parse_address(text: str) -> Address | None:
    """An IP address, that of IPv4 where IPv6 wraps one; None if the text isn't one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
