"""`python -m locking [--upgrade | --check]`; see build-support/lock."""

import argparse
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from interpreters import pinned_uv
from pip_settings import read_sources
from progress import BootstrapError

from locking.compiling import COMMAND, compile_lock
from locking.errors import LockError
from locking.exemptions import find_stale
from locking.locks import LOCKS, Lock
from locking.pins import Pin, read_pins
from locking.platforms import LINUX_X86, PLATFORMS, Platform
from locking.uv import Uv
from locking.wheels import Proof, prove

ROOT = Path(__file__).resolve().parents[2]
# Pants has no wheel for these: it was published before macOS on arm64 had such a Python.
_NO_SUCH_PYTHON = {("3.7", "darwin"), ("3.8", "darwin")}
_SIZE = re.compile(r"^# Download: .*\n", re.MULTILINE)

Subject = tuple[Lock, Platform, str]
"""A lock, where it is to be installed, and by which version of Python."""


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 a lock is stale or can't be installed everywhere, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Writes every lock file.")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    modes.add_argument(
        "--check", action="store_true", help="write nothing, fail if a lock is stale"
    )
    mode = parser.parse_args(arguments)
    try:
        sources = read_sources()
        uv = Uv(Path(pinned_uv(cache(), ROOT)), sources)
        with tempfile.TemporaryDirectory() as work:
            texts = {
                lock: compile_lock(lock, ROOT, Path(work), uv, upgrade=mode.upgrade)
                for lock in LOCKS
            }
        proofs = _prove_all(texts, uv)
    except (BootstrapError, LockError) as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    problems = _report(texts, proofs)
    for lock, text in texts.items():
        stated = _with_size(text, proofs)
        path = ROOT / lock.path
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        # A different size alone is no reason to reinstall everything.
        if _SIZE.sub("", old) == text:
            continue
        if mode.check:
            problems.append(f"{lock.path} is out of step: run {COMMAND}")
        else:
            path.write_text(stated, encoding="utf-8")
    for problem in problems:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
    return 1 if problems else 0


def cache() -> Path:
    """The folder where ./pants and the locks keep uv."""
    folder = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(folder) if os.path.isabs(folder) else Path.home() / ".cache") / "mesh-build"


def _prove_all(texts: Mapping[Lock, str], uv: Uv) -> Mapping[Subject, Proof]:
    """Proofs of each lock's pins, without those that an earlier lock pins with the same digests."""
    subjects: dict[Subject, list[Pin]] = {}
    seen: dict[tuple[Platform, str], set[Pin]] = defaultdict(set)
    for lock, text in texts.items():
        for platform, python in product(PLATFORMS, lock.pythons):
            if (python, platform.system) not in _NO_SUCH_PYTHON:
                pins = [pin for pin in read_pins(text) if pin not in seen[platform, python]]
                seen[platform, python].update(pins)
                if pins:
                    subjects[lock, platform, python] = pins

    def prove_subject(subject: Subject) -> Proof:
        lock, platform, python = subject
        return prove(lock.path, subjects[subject], platform, python, uv)

    # uv waits for the network most of the time.
    with ThreadPoolExecutor(max_workers=6) as pool:
        return dict(zip(subjects, pool.map(prove_subject, subjects), strict=True))


def _report(texts: Mapping[Lock, str], proofs: Mapping[Subject, Proof]) -> list[str]:
    """Print failed look-ups, and return the problems."""
    for proof in proofs.values():
        for note in proof.notes:
            print(f"{COMMAND}: not looked up: {note}", file=sys.stderr)
    problems = [problem for proof in proofs.values() for problem in proof.problems]
    source_only = {name for proof in proofs.values() for name in proof.source_only}
    pins = [pin for text in texts.values() for pin in read_pins(text)]
    return problems + find_stale(pins, source_only)


def _with_size(text: str, proofs: Mapping[Subject, Proof]) -> str:
    """The text of a lock with the download size on Linux x86-64 below the command's line."""
    known: dict[Pin, int | None] = {}
    for (_, platform, _), proof in proofs.items():
        if platform is LINUX_X86:
            known.update(proof.sizes)
    sizes = [known[pin] for pin in read_pins(text) if pin in known]
    if None in sizes:
        return text
    first, second, rest = text.split("\n", 2)
    size = sum(filter(None, sizes)) / 1e6
    return f"{first}\n{second}\n# Download: {size:.0f} MB\n{rest}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
