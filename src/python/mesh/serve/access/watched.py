"""Files that are read again when they change."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from mesh.core.errors import MeshError

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

WATCH_SECONDS = 1.0
"""Time between two looks at a file."""

PATIENCE = 2
"""Looks at a damaged file until its value is gone: editors write in place, without a lock."""


class WatchedFile(Generic[Value]):
    """What a file says now.

    Args:
        read: makes the value of the file.

    Attributes:
        value: None while the file can't be read. What it said before may be revoked.

    Raises:
        MeshError: the file can't be read.
    """

    def __init__(self, path: Path, read: Callable[[Path], Value]) -> None:
        self._path = path
        self._read = read
        # Before it is read, so that every later change shows.
        self._state = state_of(path)
        self._failures = 0
        self.value: Value | None = read(path)

    def look(self) -> None:
        """Read the file again if it has changed."""
        state = state_of(self._path)
        if state == self._state and not self._failures:
            return
        try:
            value = self._read(self._path)
        except MeshError as error:
            self._fail(str(error))
            return
        except Exception:
            # A defect of the reader must not keep in force what may be revoked.
            self._fail(f"{self._path} can't be read.", exc_info=True)
            return
        self._state, self._failures, self.value = state, 0, value
        logger.info("%s was read again", self._path)

    def _fail(self, problem: str, *, exc_info: bool = False) -> None:
        self._failures += 1
        if self._failures == PATIENCE:
            self.value = None
            logger.error("%s Until then, nobody is let in by it.", problem, exc_info=exc_info)


def watch(look: Callable[[], None], ended: threading.Event) -> None:
    """Look again and again, in a thread, until the event is set."""

    def run() -> None:
        while not ended.wait(WATCH_SECONDS):
            look()

    threading.Thread(target=run, name="watch", daemon=True).start()


def state_of(path: Path) -> tuple[int, ...] | None:
    """What changes when a file, or what a link leads to, is written or replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
