"""The open connections of a server, which are bounded."""

import asyncio
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Protocol

MAX_REFUSED = 100
"""Connections above the limit that may still be responded to."""


class Connection(Protocol):
    """A connection of a client."""

    @property
    def waiting_since(self) -> float | None:
        """The time of the event loop since which it waits for its client; None if it doesn't."""

    def drop(self) -> None:
        """Close it at once."""


class Admission(Enum):
    """What becomes of a new connection."""

    OPEN = auto()
    REFUSED = auto()
    """It gets a response that says so."""

    DROPPED = auto()


class Connections:
    """Admits connections up to a limit. Above it, the one that waits for longest makes room.

    So clients that send nothing, or slowly, keep nobody out.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # In the order of their arrival: the loop's clock is the same for all that come at once.
        self._open: dict[Connection, None] = {}
        self._refused: set[Connection] = set()

    def admit(self, connection: Connection) -> Admission:
        """Decide about a new connection."""
        if len(self._open) >= self._limit:
            self._make_room()
        if len(self._open) < self._limit:
            self._open[connection] = None
            return Admission.OPEN
        if len(self._refused) < MAX_REFUSED:
            self._refused.add(connection)
            return Admission.REFUSED
        return Admission.DROPPED

    def remove(self, connection: Connection) -> None:
        """Count a connection no more."""
        self._open.pop(connection, None)
        self._refused.discard(connection)

    def _make_room(self) -> None:
        waiting = {each: since for each in self._open if (since := each.waiting_since) is not None}
        if waiting:
            longest = min(waiting, key=waiting.__getitem__)
            self.remove(longest)
            longest.drop()


def client_name(transport: asyncio.BaseTransport) -> str | None:
    """The name in the verified certificate of a connection's client; None if it has none."""
    certificate: Mapping[str, Any] | None = transport.get_extra_info("peercert")
    if not certificate:
        return None
    subject = dict(pair for part in certificate.get("subject", ()) for pair in part)
    alternatives = [value for _, value in certificate.get("subjectAltName", ())]
    names = [subject.get("commonName"), *alternatives, "without a name"]
    return next(str(name) for name in names if name)
