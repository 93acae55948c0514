"""Files of versions in a folder of this machine: copied and digested in one pass, and identical ones kept once."""

import contextlib
import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mesh.core.digest import sha256_file
from mesh.core.manifest import FileEntry

SHARED = ".files"
"""Folder beside the versions' own, with a hard link to each stored file, named by its SHA-256."""

_BLOCK = 2**20

logger = logging.getLogger(__name__)


def copy_file(source: Path, target: Path, path: str) -> FileEntry:
    """Copy a file in blocks; the entry, under a path, is of the bytes that were written.

    A block is digested while it is written, since each of the two takes about as long as the other.
    """
    digest = hashlib.sha256()
    size = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    # One buffer for the whole file: new memory for each block would take as long as writing it.
    buffer = memoryview(bytearray(_BLOCK))
    with (
        source.open("rb", buffering=0) as reader,
        target.open("xb") as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        while count := reader.readinto(buffer):
            digested = pool.submit(digest.update, buffer[:count])
            writer.write(buffer[:count])
            digested.result()
            size += count
    return FileEntry(path=path, size=size, sha256=digest.hexdigest())


def share(file: Path, entry: FileEntry, folder: Path) -> None:
    """Make a new file and the identical ones of other versions one file with several names.

    Each stays what it is when the others are removed. Where the storage has no hard links, nothing is shared.
    """
    shared = folder / SHARED / entry.sha256
    try:
        shared.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, shared)
        except FileExistsError:
            if sha256_file(shared) == entry.sha256:
                _link_in(shared, file)
            else:
                # It was damaged since; the sound one is shared from now on.
                _link_in(file, shared)
    except OSError as error:
        logger.debug("%s is not shared: %s", file, error)


def sweep(folder: Path) -> None:
    """Remove the shared files that no version has any more."""
    with contextlib.suppress(FileNotFoundError):
        for path in (folder / SHARED).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_nlink == 1:
                    path.unlink()


def _link_in(existing: Path, place: Path) -> None:
    """Let a place be another name of an existing file, instead of the file that it was."""
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    os.link(existing, partial)
    partial.replace(place)
