"""The files behind a registry's back."""

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
