"""Fail if a lock has a package whose licence isn't accepted: `build-support/ci/check-licences [LOCK ...]`.

Every lock for Python 3.11 is installed into a folder, one after another, and each package's licence
read from its own metadata. ACCEPTED says which licences are, and EXCEPTIONS which packages besides,
with the reason. Exit codes: 0 all are accepted, 1 one isn't, or an exception isn't needed any more;
2 a lock can't be installed.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_string
from importlib.metadata import distributions
from pathlib import Path

from interpreters import pinned_uv
from licence_names import BSD, IDENTIFIERS, of_python
from locking.__main__ import ROOT, cache
from locking.errors import LockError
from locking.locks import LOCKS
from locking.uv import Uv
from pip_settings import read_sources
from progress import BootstrapError

COPYLEFT = ("AGPL-", "GPL-")
"""Licences that may reach the programs beside them, by how their identifiers begin."""
ACCEPTED = {name for name in IDENTIFIERS if not name.startswith(COPYLEFT)} | {BSD}
"""Licences that let a program be passed on under its own terms."""
EXCEPTIONS = {
    "grandalf": "GPLv2 or EPLv1, by choice; DVC draws graphs with it, and no server has it",
    "pygit2": "GPLv2 with an exception for programs that link to it",
    "pyromark": "its metadata has no licence; the file LICENSE is MIT's",
}

_WORD = re.compile(r"\(|\)|[^\s()]+(?:\s\(unspecified\))?")


def is_accepted(licence: str) -> bool:
    """Whether a licence is accepted: of alternatives one, else all of its parts."""
    words = _WORD.findall(licence)
    try:
        value, rest = _any(words)
    except ValueError:
        return False
    return value and not rest


def _any(words: list[str]) -> tuple[bool, list[str]]:
    """The value of alternatives at the beginning of words, and the rest."""
    value, rest = _all(words)
    while rest and rest[0] == "OR":
        other, rest = _all(rest[1:])
        value = value or other
    return value, rest


def _all(words: list[str]) -> tuple[bool, list[str]]:
    value, rest = _one(words)
    # Classifiers are joined by a small one.
    while rest and rest[0] in ("AND", "and"):
        other, rest = _one(rest[1:])
        value = value and other
    return value, rest


def _one(words: list[str]) -> tuple[bool, list[str]]:
    if not words:
        raise ValueError("a licence is missing")
    first, *rest = words
    if first == "(":
        value, rest = _any(rest)
        if rest[:1] != [")"]:
            raise ValueError("a parenthesis isn't closed")
        return value, rest[1:]
    # An exception only allows more.
    if rest and rest[0] == "WITH":
        rest = rest[2:]
    return first in ACCEPTED, rest


def problems(found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A sentence about each package that isn't accepted.

    Args:
        found: the licences by name of package, for each lock.
    """
    for lock, licences in found.items():
        for name, licence in sorted(licences.items()):
            if not is_accepted(licence) and name not in EXCEPTIONS:
                yield f"{lock}: {name} has the licence {licence!r}, which isn't accepted"


def needless(found: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A sentence about each exception whose package is accepted without it, or gone."""
    needed = {
        name
        for licences in found.values()
        for name, licence in licences.items()
        if not is_accepted(licence)
    }
    return [f"the exception for {name} isn't needed" for name in sorted(EXCEPTIONS.keys() - needed)]


def licences_of(folder: Path) -> dict[str, str]:
    """The licence of each distribution in a folder."""
    return {
        re.sub(r"[-_.]+", "-", found.name).lower(): of_python(
            message_from_string(found.read_text("METADATA") or "")
        )
        for found in distributions(path=[str(folder)])
    }


def _installed(uv: Uv, lock: Path) -> dict[str, str]:
    """The licences of a lock's packages on this platform."""
    with tempfile.TemporaryDirectory() as folder:
        uv.install(lock, Path(folder))
        return licences_of(Path(folder))


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    of_python_311 = [ROOT / lock.path for lock in LOCKS if lock.narrow]
    parser.add_argument("locks", nargs="*", type=Path, metavar="LOCK", default=of_python_311)
    locks = parser.parse_args(arguments).locks
    try:
        uv = Uv(Path(pinned_uv(cache(), ROOT)), read_sources())
        found = {lock.name: _installed(uv, lock) for lock in locks}
    except (BootstrapError, LockError) as error:
        print(f"check-licences: {error}", file=sys.stderr)
        return 2
    sentences = list(problems(found))
    # Whether an exception is needed, only all locks say.
    sentences += needless(found) if locks == of_python_311 else []
    for sentence in sentences:
        print(f"check-licences: {sentence}", file=sys.stderr)
    print(f"check-licences: {sum(map(len, found.values()))} packages in {len(found)} locks")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
