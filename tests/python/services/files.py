"""The files behind a registry's back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Where a registry keeps files, for tests that damage them."""

    def paths(self) -> list[str]:
        """All files."""

    def read(self, path: str) -> bytes:
        """A file's content."""

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""

    def remove(self, path: str) -> None:
        """Remove a file."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: Path

    def paths(self) -> list[str]:
        """All files."""
        return [str(path) for path in self.root.rglob("*") if path.is_file()]

    def read(self, path: str) -> bytes:
        """A file's content."""
        return Path(path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""
        Path(path).write_bytes(content)

    def remove(self, path: str) -> None:
        """Remove a file."""
        Path(path).unlink()


@dataclass(frozen=True)
class Several:
    """Several places, each with its number before the paths of its files."""

    places: Sequence[Storage]

    def paths(self) -> list[str]:
        """All files."""
        return [
            f"{number} {path}" for number, place in enumerate(self.places) for path in place.paths()
        ]

    def read(self, path: str) -> bytes:
        """A file's content."""
        place, inner = self._find(path)
        return place.read(inner)

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""
        place, inner = self._find(path)
        place.write(inner, content)

    def remove(self, path: str) -> None:
        """Remove a file."""
        place, inner = self._find(path)
        place.remove(inner)

    def _find(self, path: str) -> tuple[Storage, str]:
        number, _, inner = path.partition(" ")
        return self.places[int(number)], inner
