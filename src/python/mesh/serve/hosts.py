"""The host names that requests may be sent to.

A page of any site can make its own name point at this machine (DNS rebinding), and then read what a
server here responds. The header Host still has the page's name.
"""

import ipaddress
import re
from collections.abc import Sequence

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_PATTERN = re.compile(r"\*|(?:\*\.)?[a-z0-9._-]+|[0-9a-f:.]+")


def host_name(value: str) -> str | None:
    """The name or address in a header Host, in lower case, without port and brackets.

    Returns:
        None if the value isn't a host.
    """
    match = _HOST.fullmatch(value)
    return match["name"].strip("[]").rstrip(".").lower() if match else None


class AllowedHosts:
    """A check of host names against patterns: a name, `*.` and a domain, or `*` for any.

    Addresses and `localhost` are always allowed: no page has such a name. Probes and health checks
    use them.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._any = "*" in patterns
        self._names = frozenset([*patterns, "localhost"])
        self._domains = tuple(each[1:] for each in patterns if each.startswith("*."))

    def __contains__(self, name: str) -> bool:
        is_named = self._any or name in self._names or name.endswith(self._domains)
        return is_named or _is_address(name)


def parse_patterns(text: str) -> list[str]:
    """Read patterns that are separated by commas.

    Raises:
        ValueError: one of them is not a pattern.
    """
    patterns = [part.strip().lower().strip("[]") for part in text.split(",") if part.strip()]
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(
                f"{pattern!r} is not a host; names without ports are needed, *.example.com, or *"
            )
    return patterns


def allowed_hosts(text: str, host: str, address: str) -> AllowedHosts:
    """The hosts of a setting, by default of the address that the server listens on.

    Args:
        text: the setting, empty for the default.
        host: what it was told to listen on.
        address: the IP address of that. Only programs of this machine reach a loopback address, so
            that the default is `host`. Another address may have any name.
    """
    if text:
        return AllowedHosts([*parse_patterns(text), host.lower()])
    is_loopback = ipaddress.ip_address(address.partition("%")[0]).is_loopback
    return AllowedHosts([host.lower()]) if is_loopback else ANY_HOST


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


ANY_HOST = AllowedHosts(["*"])
