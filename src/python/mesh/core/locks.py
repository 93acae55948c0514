"""Locks of files and folders; each ends with its process at the latest."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mesh.core.errors import MeshError


def lock_now(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder until its descriptor is closed; never waits.

    Returns:
        Whether that was possible: not while another process holds a lock, which may be a shared one
        if this one is, too.

    Raises:
        OSError: its file system has no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_file(path: Path, *, called: str | None = None) -> int | None:
    """Lock a file, which is made if it is missing, with its folder.

    Args:
        called: what can't be written, in the error's sentence; by default the file.

    Returns:
        The descriptor that holds the lock, or None if another process does.

    Raises:
        MeshError: the file can't be written or locked.
    """
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise MeshError(f"{called or path} can't be written: {error.strerror}.") from error
        try:
            is_locked = lock_now(descriptor)
            # Whoever held it before may have removed the file or its folder.
            if is_locked and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            raise MeshError(f"{path} can't be locked: {error.strerror}.") from error
        os.close(descriptor)
        if not is_locked:
            return None


@contextlib.contextmanager
def alone(path: Path, in_use: str, *, called: str | None = None) -> Iterator[None]:
    """Hold the lock of a file, see `lock_file`.

    Args:
        in_use: the sentence for those who come while another process holds it.

    Raises:
        MeshError: another process does, or the file can't be written or locked.
    """
    descriptor = lock_file(path, called=called)
    if descriptor is None:
        raise MeshError(in_use)
    try:
        yield
    finally:
        os.close(descriptor)
