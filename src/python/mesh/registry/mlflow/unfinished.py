"""The progress of an interrupted publish, so that the next one of the same content can resume it.

It is kept on this machine, in the user's cache folder: on a shared registry, a killed publisher
can't be told from a slow one. A publisher locks its file.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import write_json_atomic
from mesh.core.locks import alone
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.settings import RegistrySettings
from mesh.registry.transfer import KEPT_SECONDS

logger = logging.getLogger(__name__)


class PartsSent(BaseModel):
    """An upload in parts: its id in the storage, its start, the parts' pre-signed URLs and tags."""

    model_config = ConfigDict(extra="forbid")

    upload_id: str
    began: float
    addresses: list[str]
    tags: dict[int, str] = {}


class Progress(BaseModel):
    """The run that carries a version's files, the stored files, and those being uploaded."""

    model_config = ConfigDict(extra="forbid")

    run_id: str = ""
    address: str = ""
    stored: dict[str, FileEntry] = {}
    parts: dict[str, PartsSent] = {}


class Unfinished:
    """The progress of one publish; several threads may change it.

    Args:
        file: holds the progress; without one, nothing is kept.
        progress: that of an interrupted publish.
    """

    def __init__(self, file: Path | None = None, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self._file = file
        self._lock = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether the next publish can resume this one."""
        return self._file is not None

    def begin(self, run_id: str, address: str) -> None:
        """Begin with a run; a new one has no files yet."""
        if run_id != self.progress.run_id:
            with self._saved():
                self.progress = Progress(run_id=run_id, address=address)

    def store(self, entry: FileEntry) -> None:
        """Note that a file is stored."""
        with self._saved():
            self.progress.stored[entry.path] = entry
            self.progress.parts.pop(entry.path, None)

    def begin_parts(self, path: str, upload_id: str, addresses: list[str]) -> PartsSent:
        """Note that an upload in parts begins."""
        with self._saved():
            parts = PartsSent(upload_id=upload_id, began=time.time(), addresses=addresses)
            self.progress.parts[path] = parts
        return parts

    def send_part(self, path: str, number: int, tag: str) -> None:
        """Note that a part is stored."""
        with self._saved():
            self.progress.parts[path].tags[number] = tag

    def forget_parts(self, path: str) -> None:
        """Note that the parts of a file are useless from now on."""
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
                logger.debug("this publish can't be resumed: %s", error)
                self._file = None


@contextlib.contextmanager
def open_unfinished(
    settings: RegistrySettings, name: str, content: Manifest
) -> Iterator[Unfinished]:
    """The progress of an interrupted publish of the same content to the same registry.

    It is empty without one, while another process publishes the same, and where the folder can't be
    written.
    """
    key = fingerprint([settings.uri, settings.artifacts, name, content.digest])
    with contextlib.ExitStack() as stack:
        file: Path | None = None
        try:
            folder = _folder()
            file = folder / f"{key}.json"
            lock = folder / f"{key}.lock"
            stack.enter_context(alone(lock, f"{key} is in use"))
            # It may be of a publish long ago, and is in use again.
            lock.touch()
            _remove_old(folder)
            progress = _read(file)
        except (OSError, MeshError) as error:
            logger.debug("no interrupted publish is resumed: %s", error)
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
    """Forget old publishes that nobody has resumed; their stored files remain."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
