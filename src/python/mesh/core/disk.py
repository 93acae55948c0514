"""Room on disks, asked for before long work and missed in the middle of it; what is safely on them."""

import contextlib
import errno
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from mesh.core.errors import MeshError

_FULL = (errno.ENOSPC, errno.EDQUOT)
# Libraries that write by native code tell the system's reason in words only.
_FULL_WORDS = tuple(os.strerror(number).lower() for number in _FULL)
_MB = 1e6


class FullDiskError(MeshError):
    """A disk has too little room."""


def check_room(needs: Sequence[tuple[Path, int]], what: str) -> None:
    """Refuse work whose results the disks can't hold.

    Args:
        needs: folders, which needn't exist yet, and bytes that will be written below each.
        what: needs the room, for people.

    Raises:
        FullDiskError: a disk has less room than its folders need together.
    """
    folders: defaultdict[int, list[tuple[Path, int]]] = defaultdict(list)
    for folder, size in needs:
        existing = _existing(folder)
        folders[existing.stat().st_dev].append((existing, size))
    for found in folders.values():
        folder, needed = found[0][0], sum(size for _, size in found)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise FullDiskError(
                f"{what} needs {needed / _MB:,.1f} MB on the disk of {folder}, which has "
                f"{free / _MB:,.1f} MB: make room there, or use another disk (MESH_WORKSPACE, "
                "MESH_REGISTRY_URI)."
            )


@contextlib.contextmanager
def full_disk_errors(folder: Path, advice: str) -> Iterator[None]:
    """Turn the error of a disk that gets full, whoever raises it, into a sentence.

    Args:
        folder: what is written to.
        advice: ends the sentence.

    Raises:
        FullDiskError: instead of such an error; others pass.
    """
    try:
        yield
    except MeshError:
        raise
    except Exception as error:
        if _is_full(error):
            raise FullDiskError(f"The disk of {folder} is full: {advice}.") from error
        raise


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    if any(words in str(error).lower() for words in _FULL_WORDS):
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and _is_full(cause)


def sync(path: Path) -> None:
    """Have the content of a file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
