"""A lock for a project's outputs in a workspace: one process at a time works on them."""

import contextlib
import datetime
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mesh.core.errors import MeshError
from mesh.core.locks import lock_file
from mesh.core.project import Project
from mesh.core.user import user_and_host
from mesh.core.workspace import WorkspaceSettings

_POLL_SECONDS = 0.2
_held: set[str] = set()

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(workspace: WorkspaceSettings, project: Project, task: str) -> Iterator[None]:
    """Hold the lock of a project's outputs, which ends with this process at the latest.

    The process that has it may take it again. Of the processes of torchrun, the first one takes it
    for all, and doesn't wait: the others would wait for it in vain.

    Args:
        task: what this process does, for those who wait.

    Raises:
        MeshError: the lock's file can't be written, or is locked while torchrun trains.
    """
    path = workspace.output(project, ".lock")
    name = os.path.realpath(path)
    if name in _held or os.environ.get("RANK", "0") != "0":
        yield
        return
    descriptor = _acquire(path, f"The outputs of {project.name} in {path.parent} are in use by")
    _held.add(name)
    try:
        started = datetime.datetime.now(datetime.UTC)
        holder = f"{task} (process {os.getpid()} of {user_and_host()}, since {started:%Y-%m-%d %H:%M} UTC)"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        _held.discard(name)
        os.close(descriptor)


def _acquire(path: Path, in_use: str) -> int:
    """Wait for the lock, and say for whom; return the descriptor that holds it."""
    told = ""
    while True:
        descriptor = lock_file(path)
        if descriptor is not None:
            return descriptor
        holder = _read(path)
        if "LOCAL_RANK" in os.environ:
            raise MeshError(f"{in_use} {holder}; start this again when that has ended.")
        if holder != told:
            logger.warning("%s %s; waiting for its end", in_use, holder)
            told = holder
        time.sleep(_POLL_SECONDS)


def _read(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text() or "another process"
    return "another process"
