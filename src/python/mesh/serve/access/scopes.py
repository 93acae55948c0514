"""What a caller may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """A group of paths."""

    PREDICT = "predict"
    """Predictions, and the metadata that clients read before."""

    INSPECT = "inspect"
    """`/metrics`, `/docs`, `/openapi.json` and the model's bio."""


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        kind: what the name is of: key, token or certificate.
        name: of the key, the token's subject, or in the certificate.
        requests_per_minute: that this caller may send; None for the server's setting.
    """

    kind: str
    name: str
    scopes: frozenset[Scope]
    requests_per_minute: int | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def parse_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """Read the names of scopes.

    Raises:
        ValueError: one of them is none.
    """
    return frozenset(Scope(word) for word in words)
