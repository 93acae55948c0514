"""Programs that Pants has prepared: their folders, how long they stay, and how one is started."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent
# An entry `PROCESS.TIME` is the folder that was made for this process, or a link to the one that it runs.
PROGRAMS = ROOT / ".pants.d" / "programs"
# A link to the folder of the `mesh` command.
KEPT = PROGRAMS / "mesh"
# The Python with which `./mesh` starts the kept program.
PYTHON = PROGRAMS / "python"
# Tells a program its caller's folder, since it runs in the repository's.
CALLED_FROM = "MESH_CALLED_FROM"


class Program:
    """A folder with `sandbox`, as Pants lays it out for a process, and `command.json`, once it is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def new(cls) -> Program:
        """An empty one for this process."""
        # A prepared program may hold the caller's variables.
        PROGRAMS.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_unused()
        _write_python()
        program = cls(_new_entry())
        program.folder.mkdir()
        return program

    @classmethod
    def kept(cls, key: str) -> Program | None:
        """The kept one, if it has this key and can start; it stays until this process ends."""
        if not KEPT.exists():
            return None
        _remove_unused()
        program = cls(KEPT.resolve())
        _new_entry().symlink_to(program.folder.name)
        return program if program._fits(key) else None

    @property
    def complete(self) -> bool:
        return self._command.exists()

    def start(self, arguments: Sequence[str], called_from: str) -> NoReturn:
        """Let this process become the program, in the repository's folder."""
        command = self._read()
        argv = [self._located(argument) for argument in command["arguments"]]
        environment = {**os.environ, CALLED_FROM: called_from}
        # These are meant for the caller's own Python.
        for name in ("PYTHONPATH", "PYTHONHOME"):
            environment.pop(name, None)
        for name, value in command["environment"].items():
            environment[name] = self._located(value)
        os.chdir(ROOT)
        # Python ignores these signals, and a program inherits what is ignored.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(argv[0], [*argv, *arguments], environment)  # noqa: S606

    def keep(self, key: str) -> None:
        """Let `Program.kept` find this one by a key, instead of the one before it."""
        (self.folder / "key").write_text(key)
        link = _new_entry()
        link.symlink_to(self.folder.name)
        link.replace(KEPT)

    @property
    def _command(self) -> Path:
        return self.folder / "command.json"

    def _read(self) -> dict[str, Any]:
        command: dict[str, Any] = json.loads(self._command.read_text(encoding="utf-8"))
        return command

    def _located(self, text: str) -> str:
        return text.replace("{chroot}", str(self.folder / "sandbox"))

    def _fits(self, key: str) -> bool:
        """Whether it has the key and the same variables, and its interpreter is still there."""
        if not self.complete or (self.folder / "key").read_text() != key:
            return False
        command = self._read()
        needed = [Path(command["environment"][name]) for name in ("PEX_ROOT", "PEX_PYTHON")]
        inherited: dict[str, str | None] = command["inherited"]
        return all(path.exists() for path in needed) and all(
            os.environ.get(name) == value for name, value in inherited.items()
        )


def _new_entry() -> Path:
    return PROGRAMS / f"{os.getpid()}.{time.time_ns()}"


def _remove_unused() -> None:
    """Remove the programs of processes that have ended, unless they are kept or still run."""
    entries = [entry for entry in PROGRAMS.iterdir() if re.fullmatch(r"\d+\.\d+", entry.name)]
    ended = [entry for entry in entries if not _runs(int(entry.stem))]
    used = {entry.resolve() for entry in (KEPT, *entries) if entry not in ended}
    for entry in ended:
        # Another process may do the same; anything left is removed next time.
        if not entry.is_dir() or entry.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                entry.unlink()
        elif entry.resolve() not in used:
            shutil.rmtree(entry, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_python() -> None:
    if not PYTHON.exists() or PYTHON.read_text() != f"{sys.executable}\n":
        text = _new_entry()
        text.write_text(f"{sys.executable}\n")
        text.replace(PYTHON)
