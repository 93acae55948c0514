"""Makes the text of a lock from its requirements."""

import re
import shutil
from pathlib import Path

from locking.errors import LockError
from locking.exemptions import add_digests
from locking.locks import Lock
from locking.platforms import narrow, widen
from locking.uv import Uv

COMMAND = "build-support/lock"
_ADDRESS = re.compile(r"(https?|file)://|--(extra-)?index|--find-links")


def compile_lock(lock: Lock, root: Path, work: Path, uv: Uv, *, upgrade: bool) -> str:
    """The new text of a lock, also written into the folder `work`, as a constraint for later locks.

    Args:
        upgrade: take the newest versions that fit, even if the pinned ones still fit.

    Raises:
        LockError: there is no solution, or none without a URL.
    """
    new = work / lock.path
    new.parent.mkdir(parents=True, exist_ok=True)
    new.unlink(missing_ok=True)
    if not upgrade and (root / lock.path).exists():
        # uv prefers the pins in the file, and keeps their digests.
        shutil.copy(root / lock.path, new)
    for name in (*lock.requirements, *lock.overrides):
        text = (root / name).read_text(encoding="utf-8")
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(narrow(text) if lock.narrow else text, encoding="utf-8")
    arguments = [
        *("--universal", "--python-version", lock.pythons[0], "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links"),
        *("--custom-compile-command", COMMAND, "--output-file", lock.path),
        *(f"--constraints={name}" for name in lock.constraints),
        *(f"--overrides={name}" for name in lock.overrides),
        *lock.requirements,
    ]
    try:
        uv.compile(work, arguments)
    except LockError as error:
        raise LockError(f"{lock.path} can't be made: {error}") from error
    text = new.read_text(encoding="utf-8")
    if lock.narrow:
        text = widen(text)
    # The URL of an index is a property of a machine, not of the project.
    if address := _ADDRESS.search(text):
        line = text[: address.end()].count("\n") + 1
        raise LockError(
            f"{lock.path} would name an index in line {line} ({text.splitlines()[line - 1].strip()});"
            " pin a released version instead."
        )
    text = add_digests(text)
    new.write_text(text, encoding="utf-8")
    return text
