"""The figures of a run that its server doesn't have yet, for `recording`."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mesh.core.errors import MeshError
from mesh.core.files import read_json, write_json_atomic
from mesh.registry.runs import Figure

_RUN_FILE = "run.json"
_FIGURES_FILE = "figures.jsonl"


class Unsent:
    """Figures in memory and, once the training has one, in its folder; safe to use from threads.

    Attributes:
        step: the last one that figures were added for.
    """

    def __init__(self) -> None:
        self.step = 0
        self._figures: list[Figure] = []
        self._sent = 0
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def resume(self, folder: Path) -> str:
        """Go on with what a training's folder has; return the id of its run, empty without one."""
        self._folder = folder
        try:
            found = read_json(folder / _RUN_FILE)
            run, self._sent = str(found["id"]), int(found["sent"])
            with (folder / _FIGURES_FILE).open() as lines:
                self._figures = [Figure(**json.loads(line)) for line in lines][self._sent :]
        except (MeshError, OSError, ValueError, TypeError, KeyError):
            # A new training, or one that was killed before it could say anything.
            run, self._sent, self._figures = "", 0, []
            (folder / _FIGURES_FILE).unlink(missing_ok=True)
        return run

    def add(self, step: int, figures: Sequence[Figure]) -> None:
        """Add the figures of a step."""
        with self._lock:
            self.step = max(self.step, step)
            self._figures += figures
            if self._folder:
                lines = "".join(f"{json.dumps(asdict(each))}\n" for each in figures)
                with (self._folder / _FIGURES_FILE).open("a") as file:
                    file.write(lines)

    def batch(self) -> list[Figure]:
        """All that there are now."""
        with self._lock:
            return list(self._figures)

    def remove(self, count: int) -> None:
        """Forget the first ones, which were sent."""
        with self._lock:
            del self._figures[:count]
            self._sent += count

    def remember(self, run: str) -> None:
        """Note in the folder what was sent to which run."""
        with self._lock:
            if self._folder:
                write_json_atomic(self._folder / _RUN_FILE, {"id": run, "sent": self._sent})

    def leave_folder(self) -> None:
        """Write nothing to the folder any more."""
        with self._lock:
            self._folder = None
