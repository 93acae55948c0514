"""`./mesh`: the command line as it was prepared last, as long as nothing that it is made of has changed.

`kept_mesh.py COMMAND`, with the `./pants` command that makes the program where none is kept. Runs on the Python that
Pants is installed with.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from prepared import ROOT, Program

# `./mesh` tells `./pants` with this where it was called, and that the program is to be kept.
FOR_MESH = "--for-mesh="
# Everything that decides what Pants makes of the sources, requirements and settings.
SOURCES = ("3rdparty", "build-support", "src/python")
SETTINGS = ("BUILD", "pants", "pants.toml", "pants.ci.toml", "pyproject.toml")


def main(command: list[str]) -> NoReturn:
    """Start the kept program in place of the command that makes it anew; that command, where none fits."""
    program = Program.kept(current_key())
    if program is None:
        os.execv(command[0], command)  # noqa: S606
    called_from = next(word for word in command if word.startswith(FOR_MESH))[len(FOR_MESH) :]
    program.start(command[command.index("--") + 1 :], called_from)


def current_key() -> str:
    """A digest of all that the program is made of."""
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
        # Such as an editor's link to nowhere: it has no content, and becomes another file when it gets one.
        return str(error.errno).encode()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(
            f"./mesh: {error.filename2 or error.filename or 'a file'} can't be used: {error.strerror}."
        )
