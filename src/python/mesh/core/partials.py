"""Hidden files and directories beside their targets, for `files`: they are locked while in use."""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from mesh.core.locks import lock_now

PARTIAL_SUFFIX = ".partial"


def make_partial(target: Path, make: Callable[[Path], tuple[Path, int]]) -> tuple[Path, int]:
    """Make a hidden file or directory beside `target`, locked while its descriptor is open.

    The lock marks it as in use. Another process may take it for stale before it is locked; then it
    is already unlinked, and another one is made.

    Args:
        make: `make_file` or `make_directory`.
    """
    remove_stale(_partials(target))
    while True:
        partial, descriptor = make(target)
        if lock_now(descriptor) and partial.exists():
            return partial, descriptor
        os.close(descriptor)


def make_directory(target: Path) -> tuple[Path, int]:
    """An empty directory beside `target`, and its descriptor."""
    while True:
        path = tempfile.mkdtemp(prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent)
        with contextlib.suppress(FileNotFoundError):
            return Path(path), os.open(path, os.O_RDONLY)


def make_file(target: Path) -> tuple[Path, int]:
    """An empty file beside `target`, and its descriptor."""
    descriptor, path = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent
    )
    return Path(path), descriptor


def take_stale(target: Path) -> tuple[Path, int] | None:
    """Lock a directory that a killed process left, and remove the others, if there are several."""
    taken: tuple[Path, int] | None = None
    for path in _partials(target):
        if taken is None and path.is_dir():
            # Directories of other users can't be opened.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                descriptor = os.open(path, os.O_RDONLY)
                if lock_now(descriptor) and path.exists():
                    taken = path, descriptor
                else:
                    os.close(descriptor)
    remove_stale(_partials(target))
    return taken


def remove_stale(partials: Iterable[Path]) -> None:
    """Remove the partials of killed processes: those that no process has locked."""
    for path in partials:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if not lock_now(descriptor):
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()
            finally:
                os.close(descriptor)


def _partials(target: Path) -> list[Path]:
    return list(target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL_SUFFIX}"))
