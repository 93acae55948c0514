"""Files of versions in a local folder: digested while they are copied, identical ones kept once."""

import contextlib
import hashlib
import io
import itertools
import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mesh.core.digest import sha256_file
from mesh.core.disk import sync
from mesh.core.manifest import FileEntry
from mesh.core.progress import Advance

SHARED = ".files"
"""Folder beside the versions', with a hard link to each stored file, named by its SHA-256."""

_BLOCK = 2**20
_WRITTEN_AT_ONCE = 8 * _BLOCK

logger = logging.getLogger(__name__)


def copy_file(
    source: Path, target: Path, path: str, advance: Advance, *, durable: bool = False
) -> FileEntry:
    """Copy a file in blocks, and return the entry of the written bytes.

    A block is digested while the next one is copied, since digesting takes longer than reading and
    writing.

    Args:
        path: the path in the entry.
        durable: whether the copy must be on the disk, and not only in memory, when this returns.
    """
    digest = hashlib.sha256()
    digested: Future[None] | None = None
    size = started = 0
    make_folder(target.parent, durable=durable)
    # Two buffers for the whole file: allocating each block would take as long as writing it.
    buffers = itertools.cycle([memoryview(bytearray(_BLOCK)) for _ in range(2)])
    with (
        source.open("rb", buffering=0) as reader,
        target.open("xb", buffering=0) as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        while count := reader.readinto(buffer := next(buffers)):
            _write(writer, buffer[:count])
            if digested is not None:
                digested.result()
            digested = pool.submit(digest.update, buffer[:count])
            size += count
            advance(count)
            if durable and size >= started + _WRITTEN_AT_ONCE:
                _start_writing(writer.fileno(), started, size - started)
                started = size
        if durable:
            os.fsync(writer.fileno())
            sync(target.parent)
    return FileEntry(path=path, size=size, sha256=digest.hexdigest())


def store_file(
    source: Path, target: Path, path: str, advance: Advance, folder: Path | None
) -> FileEntry:
    """Store a file for good; an identical file of another version becomes a second name of it.

    Each remains when the others are removed. Without hard links, nothing is shared.

    Args:
        path: the path in the entry.
        folder: the versions' common folder, if they share files.
    """
    if folder and _is_stored(source.stat().st_size, folder):
        entry = FileEntry.of(source, path)
        if _link_shared(folder / SHARED / entry.sha256, target, entry.sha256):
            advance(entry.size)
            return entry
    entry = copy_file(source, target, path, advance, durable=True)
    if folder:
        _share(target, folder / SHARED / entry.sha256)
    return entry


def sweep(folder: Path) -> None:
    """Remove the shared files that no version has any longer."""
    with contextlib.suppress(FileNotFoundError):
        for path in (folder / SHARED).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_nlink == 1:
                    path.unlink()


def _write(writer: io.FileIO, block: memoryview) -> None:
    """Write a whole block, even if the system accepts only a part at a time."""
    while block:
        block = block[writer.write(block) :]


def _start_writing(descriptor: int, first: int, count: int) -> None:
    """Start writing to the disk while the next bytes are copied, to wait less at the end.

    Linux does so when it is advised that bytes not yet on the disk won't be read again.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, first, count, os.POSIX_FADV_DONTNEED)


def make_folder(folder: Path, *, durable: bool) -> None:
    """Make a folder and its missing parents.

    Args:
        durable: whether the names of the new ones must be on the disk when this returns.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if durable:
        for path in missing:
            sync(path.parent)


def _is_stored(size: int, folder: Path) -> bool:
    """Whether a file of this size is shared; only then can digesting before copying pay off."""
    try:
        with os.scandir(folder / SHARED) as files:
            return any(file.stat().st_size == size for file in files)
    except OSError:
        return False


def _link_shared(shared: Path, target: Path, sha256: str) -> bool:
    """Make the target another name of a shared file, if there is one and it is undamaged."""
    try:
        if sha256_file(shared) != sha256:
            return False
        make_folder(target.parent, durable=True)
        os.link(shared, target)
        sync(target.parent)
    except OSError as error:
        logger.debug("%s is not shared: %s", shared, error)
        return False
    return True


def _share(file: Path, shared: Path) -> None:
    """Share a new file from now on, in place of a damaged one."""
    partial = shared.with_name(f".{shared.name}.{os.getpid()}.partial")
    try:
        shared.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, partial)
        partial.replace(shared)
    except OSError as error:
        logger.debug("%s is not shared: %s", file, error)
