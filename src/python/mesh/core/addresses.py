"""Addresses as they may be shown."""

import re

_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/:@]*):(?P<password>.*)@")
_QUERY = re.compile(r"\?.*")


def mask_address(address: str) -> str:
    """An address without its password and options, fit for logs and messages."""
    return _QUERY.sub("?***", _PASSWORD.sub(r"\g<user>:***@", address))


def passwords(address: str) -> list[str]:
    """The passwords before the host of an address."""
    return [match["password"] for match in _PASSWORD.finditer(address)]
