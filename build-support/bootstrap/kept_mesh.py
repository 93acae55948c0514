"""`./mesh`: starts the command line that was prepared last, as long as its sources are unchanged.

`kept_mesh.py COMMAND`: the `./pants` command makes the program if none is kept. Runs on the Python
that Pants is installed with.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from prepared import ROOT, Program

# With this, `./mesh` tells `./pants` its caller's folder, and that the program is to be kept.
FOR_MESH = "--for-mesh="
# Everything that determines the prepared program: sources, requirements and settings.
SOURCES = ("3rdparty", "build-support", "src/python")
SETTINGS = ("BUILD", "pants", "pants.toml", "pants.ci.toml", "pyproject.toml")


def main(command: list[str]) -> NoReturn:
    """Start the kept program, or, if none fits, the command that makes it."""
    program = Program.kept(current_key())
    if program is None:
        os.execv(command[0], command)  # noqa: S606
    called_from = next(word for word in command if word.startswith(FOR_MESH))[len(FOR_MESH) :]
    program.start(command[command.index("--") + 1 :], called_from)


def current_key() -> str:
    """A digest of everything that determines the program."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(os.fsencode(path) + b"\0" + hashlib.sha256(_content(path)).digest())
    return digest.hexdigest()


def _files() -> Iterator[str]:
    """Paths in the repository."""
    yield from SETTINGS
    for source in SOURCES:
        for folder, folders, files in os.walk(str(ROOT / source)):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for file in sorted(files):
                yield os.path.relpath(os.path.join(folder, file), str(ROOT))


def _content(path: str) -> bytes:
    try:
        with open(os.path.join(str(ROOT), path), "rb") as file:
            return file.read()
    except OSError as error:
        # For example an editor's dangling link, which has no content.
        return str(error.errno).encode()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(
            f"./mesh: {error.filename2 or error.filename or 'a file'} can't be used: {error.strerror}."
        )
