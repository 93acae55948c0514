"""Reads the pins of a lock file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_START = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[^]]*\])?==(?P<version>[^\s;\\]+)")
_DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One version of a package.

    Args:
        name: normalized, as uv writes it.
        digests: SHA-256 of the files that may be installed.
        text: the lines of the lock.
    """

    name: str
    version: str
    digests: frozenset[str]
    text: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_pins(lock: str) -> Iterator[Pin]:
    """The pins of a lock, in its order."""
    for block in re.split(r"^(?=\S)", lock, flags=re.MULTILINE):
        if start := _START.match(block):
            yield Pin(start["name"], start["version"], frozenset(_DIGEST.findall(block)), block)
