"""What a publish that was interrupted has stored already, so that the next one of the same content goes on from there.

It is known to this machine only, in the user's cache folder: on a shared registry nobody could tell a publisher that
was killed from one that is slow. A file that its publisher holds locked is no one else's.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import write_json_atomic
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)

_KEPT_SECONDS = 7 * 24 * 3600


class PartsSent(BaseModel):
    """A file of which parts are sent: the storage's name of the upload, when it began, signed addresses and tags."""

    model_config = ConfigDict(extra="forbid")

    upload_id: str
    began: float
    addresses: list[str]
    tags: dict[int, str] = {}


class Progress(BaseModel):
    """The run that has a version's files, what is stored there, and what is on its way."""

    model_config = ConfigDict(extra="forbid")

    run_id: str = ""
    address: str = ""
    stored: dict[str, FileEntry] = {}
    parts: dict[str, PartsSent] = {}


class Unfinished:
    """The progress of one publish; several threads may change it.

    Args:
        file: where it is kept; nothing is kept without one.
        progress: what was done before.
    """

    def __init__(self, file: Path | None = None, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self._file = file
        self._lock = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether the next publish will know of it."""
        return self._file is not None

    def begin(self, run_id: str, address: str) -> None:
        """Begin with a run; with another than before, nothing is stored yet."""
        if run_id != self.progress.run_id:
            with self._saved():
                self.progress = Progress(run_id=run_id, address=address)

    def store(self, entry: FileEntry) -> None:
        """Note that a file is stored."""
        with self._saved():
            self.progress.stored[entry.path] = entry
            self.progress.parts.pop(entry.path, None)

    def begin_parts(self, path: str, upload_id: str, addresses: list[str]) -> PartsSent:
        """Note that a file is going to be sent in parts."""
        with self._saved():
            parts = PartsSent(upload_id=upload_id, began=time.time(), addresses=addresses)
            self.progress.parts[path] = parts
        return parts

    def send_part(self, path: str, number: int, tag: str) -> None:
        """Note that a part is stored."""
        with self._saved():
            self.progress.parts[path].tags[number] = tag

    def forget_parts(self, path: str) -> None:
        """Note that the parts of a file are of no use any more."""
        with self._saved():
            self.progress.parts.pop(path, None)

    def end(self) -> None:
        """Forget everything."""
        if self._file is not None:
            for file in (self._file, self._file.with_suffix(".lock")):
                file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _saved(self) -> Iterator[None]:
        with self._lock:
            yield
            if self._file is None:
                return
            try:
                write_json_atomic(self._file, self.progress.model_dump(mode="json"))
            except MeshError as error:
                logger.debug("nothing is kept of this publish: %s", error)
                self._file = None


@contextlib.contextmanager
def open_unfinished(
    settings: RegistrySettings, name: str, content: Manifest
) -> Iterator[Unfinished]:
    """What an interrupted publish of the same content to the same registry has done.

    Nothing where there was none, where another process is at it now, or where the folder can't be written.
    """
    key = fingerprint([settings.uri, settings.artifacts, name, content.digest])
    with contextlib.ExitStack() as stack:
        file: Path | None = None
        try:
            folder = _folder()
            file = folder / f"{key}.json"
            lock = stack.enter_context((folder / f"{key}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Not that of a process which has ended meanwhile, and removed it.
            if os.fstat(lock.fileno()).st_ino != (folder / f"{key}.lock").stat().st_ino:
                raise BlockingIOError(f"{key} is in use")
            _remove_old(folder)
            progress = _read(file)
        except (OSError, MeshError) as error:
            logger.debug("nothing is kept of an interrupted publish: %s", error)
            file, progress = None, Progress()
        yield Unfinished(file, progress)


def _folder() -> Path:
    from platformdirs import user_cache_path

    folder = user_cache_path("mesh") / "publishing"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _read(file: Path) -> Progress:
    try:
        return Progress.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Progress()


def _remove_old(folder: Path) -> None:
    """Remove what nobody has gone on with; what it had stored stays where it is."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                path.unlink()
