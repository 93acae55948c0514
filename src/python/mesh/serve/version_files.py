"""The files of a served version: verified before they are loaded, watched while they are served."""

import contextlib
import logging
import threading
import time
import weakref
from pathlib import Path
from typing import Protocol

from mesh.core.card import TEST_RESULTS
from mesh.core.errors import MeshError
from mesh.core.manifest import MANIFEST_FILE, Manifest

logger = logging.getLogger(__name__)

WATCH_SECONDS = 2.0
"""Time between two looks at the files."""


class Watched(Protocol):
    """A model that serves files.

    Attributes:
        ready: becomes False when they are damaged.
    """

    ready: bool


class VersionFiles:
    """The files of a version, by its manifest.

    Args:
        directory: `models/<KEY>-COMPILED-N`. Results of load tests aren't part of the version.

    Raises:
        MeshError: a file is missing, extra, changed, or a link.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._manifest = Manifest.read(directory)
        # Before they are read, so that every later change shows.
        self._states = self._look()
        if problems := self._problems():
            raise MeshError(
                f"The model {directory} is damaged: {'; '.join(problems)}; run serve:download again."
            )

    def damage(self) -> list[str]:
        """What isn't as it was published, a sentence for each file; read only if a file changed.

        Weights are mapped into memory, so a file that is written in place changes what is served.
        """
        states = self._look()
        if states == self._states:
            return []
        try:
            problems = self._problems()
        except (MeshError, OSError) as error:
            return [str(error)]
        if not problems:
            self._states = states
        return problems

    def verified(self) -> contextlib.AbstractContextManager[None]:
        """While the version is loaded: its files, which were just verified, aren't read again."""
        return self._manifest.verified(self._directory)

    def watch(self, model: Watched) -> None:
        """Look at the files from now on, in a thread, as long as the model is in use."""
        thread = threading.Thread(
            target=self._watch, args=(weakref.ref(model),), name="watch", daemon=True
        )
        thread.start()

    def _watch(self, reference: weakref.ref[Watched]) -> None:
        while not (problems := self.damage()):
            time.sleep(WATCH_SECONDS)
            if reference() is None:
                return
        if model := reference():
            model.ready = False
            logger.error(
                "The model %s was changed while it is served: %s; it isn't ready any more. Run "
                "serve:download, and restart the server.",
                self._directory,
                "; ".join(problems),
            )

    def _look(self) -> list[tuple[int, ...] | None]:
        paths = (MANIFEST_FILE, *(entry.path for entry in self._manifest.files))
        return [_state(self._directory / path) for path in paths]

    def _problems(self) -> list[str]:
        problems = self._manifest.problems(self._directory, besides=f"*/{TEST_RESULTS}")
        if Manifest.read(self._directory) != self._manifest:
            problems.append(f"{MANIFEST_FILE} was replaced")
        return problems


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is written or replaced; None if it is gone."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
