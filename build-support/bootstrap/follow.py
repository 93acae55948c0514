"""Runs Pants and reads its output: reports how far an installation is, and explains failures.

Runs on Pants' own Python.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from install import count_pins, download_size
from progress import SECONDS_BETWEEN_LINES, say

_FAILURE = re.compile(r"\[ERROR\] \d+ Exceptions? encountered:")
_INSTALLING = re.compile(r"\[INFO\] (Starting|Completed): Installing (\S+\.lock) for the resolve")
# Patterns in the output of a failed installation, with the remedy; the first match counts.
_REMEDIES = (
    (
        r"No space left on device|os error 28",
        "The disk is full: the packages need about 8 GB in {cache}. Free space there, or set XDG_CACHE_HOME to a folder"
        " on another disk.",
    ),
    (
        r"Read-only file system|os error 30|Permission denied|os error 13",
        "A folder can't be written: the traceback names it. Make it writable, or set XDG_CACHE_HOME to another folder.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A downloaded package isn't the one in the lock: the package index or a proxy serves another file."
        " Look at `pip config list`.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The certificate of the package index is not trusted: `pip config set global.cert FILE` names the authority's"
        " certificate, here too.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Max retries|name resolution"
        r"|unreachable|IncompleteRead",
        "The package index can't be reached. Check the network, and index-url and proxy in"
        " `pip config list`, and run this again. Finished downloads are kept.",
    ),
    (
        r"No matching distribution|Could not find a version",
        "The package index lacks a package of the lock; the lines above the traceback's end name it. Look at"
        " index-url and find-links in `pip config list`.",
    ),
)
_PR_SET_PDEATHSIG = 1


def follow(command: list[str], root: Path, stdin: int | None = None) -> int:
    """Run Pants with its standard error read here, and return its exit code.

    Args:
        command: program and arguments.
        root: the repository.
        stdin: its standard input, as `subprocess` has it; this process' own by default.
    """
    process = subprocess.Popen(
        command, stdin=stdin, stderr=subprocess.PIPE, preexec_fn=_end_with_parent
    )
    with _signals_forwarded(process):
        held = _pass_on(process.stderr or io.BytesIO(), root)
        code = process.wait()
    if held:
        _explain(held)
    return code if code >= 0 else 128 - code


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def _signals_forwarded(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def forward(number: int, _frame: FrameType | None) -> None:
        # A terminal sends Ctrl-C to Pants as well.
        if number != signal.SIGINT or not _in_foreground():
            process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _pass_on(stream: IO[bytes], root: Path) -> list[bytes]:
    """Print lines as they come, and progress in between; return a failure's lines unprinted."""
    installation = _Installation()
    held: list[bytes] = []
    with installation:
        for line in stream:
            text = line.decode(errors="replace")
            if held or _FAILURE.search(text):
                held.append(line)
                continue
            installation.last_line = time.monotonic()
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            found = _INSTALLING.search(text)
            if found:
                installation.note(found.group(1) == "Starting", root / found.group(2))
    return held


def _explain(held: list[bytes]) -> None:
    text = b"".join(held).decode(errors="replace")
    if "ProcessExecutionFailure" in text or "os error" in text:
        remedies = [remedy for pattern, remedy in _REMEDIES if re.search(pattern, text)]
        if remedies:
            say(remedies[0].format(cache=_caches()) + " Pants' own message:")
    sys.stderr.buffer.write(b"".join(held))
    sys.stderr.buffer.flush()


class _Installation:
    """Says how far the installation of a lock is whenever Pants is silent for some seconds."""

    def __init__(self) -> None:
        self.last_line = time.monotonic()
        self._started = self.last_line
        self._lock: Path | None = None
        self._before: tuple[set[str], float] = (set(), 0.0)
        self._downloaded = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> _Installation:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def note(self, starting: bool, lock: Path) -> None:
        """The installation of a lock has started or ended."""
        self._lock = lock if starting and lock.exists() else None
        if self._lock:
            self._started = time.monotonic()
            self._before = _unpacked(), _downloaded()
            self._downloaded = 0.0
            size = download_size(lock)
            say(f"{lock.name} has {count_pins(lock)} packages{size}")

    def _report(self) -> None:
        while not self._ended.wait(1):
            now = time.monotonic()
            if now - self.last_line < SECONDS_BETWEEN_LINES:
                continue
            self.last_line = now
            say(f"{self._how_far()} ({now - self._started:.0f} s)")

    def _how_far(self) -> str:
        if not self._lock:
            return "still at work"
        unpacked, total = len(_unpacked() - self._before[0]), count_pins(self._lock)
        # pip also replaces files in its cache.
        self._downloaded = max(self._downloaded, _downloaded() - self._before[1])
        if unpacked >= total:
            return f"installing {self._lock.name}: all packages are unpacked; packing them together"
        return (
            f"installing {self._lock.name}: {self._downloaded:.0f} MB downloaded,"
            f" {unpacked} of {total} packages unpacked"
        )


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "pants"


def _pex_root() -> Path:
    named = os.environ.get("PANTS_NAMED_CACHES_DIR") or str(_caches() / "named_caches")
    return Path(named) / "pex_root"


def _unpacked() -> set[str]:
    """The names of the unpacked wheels; Pex makes a second copy of each with another digest."""
    return {wheel.name for wheel in (_pex_root() / "installed_wheels").glob("*/*.whl")}


def _downloaded() -> float:
    """Megabytes of downloads in pip's cache."""
    total = 0
    for folder, _, files in os.walk(str(_pex_root() / "pip_cache")):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total / 1e6
