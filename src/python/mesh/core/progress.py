"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 5.0
SECONDS_OF_SILENCE = 10.0

Advance = Callable[[int], object]
"""Counts transferred bytes; several threads may call it."""


@contextlib.contextmanager
def break_silence(what: str) -> Iterator[None]:
    """Log that the work continues if the block has logged nothing for a while, without a bar.

    Args:
        what: names the work, such as `keywords.train:train`.
    """
    last = _LastRecord()
    ended = threading.Event()

    def report() -> None:
        started = time.monotonic()
        while not ended.wait(max(0.1, last.time + SECONDS_OF_SILENCE - time.monotonic())):
            if time.monotonic() >= last.time + SECONDS_OF_SILENCE and not _bars:
                logger.info("%s is still working (%.0f s)", what, time.monotonic() - started)
                # Some libraries replace the handlers of the log while they work.
                last.time = time.monotonic()

    thread = threading.Thread(target=report, name="progress", daemon=True)
    logging.getLogger().addHandler(last)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        logging.getLogger().removeHandler(last)


class _LastRecord(logging.Handler):
    """Remembers the time of the last record."""

    def __init__(self) -> None:
        super().__init__()
        self.time = time.monotonic()

    def emit(self, _record: logging.LogRecord) -> None:
        self.time = time.monotonic()


# Bars that a terminal shows now.
_bars: list[str] = []


@contextlib.contextmanager
def _bar_shown(description: str) -> Iterator[None]:
    _bars.append(description)
    try:
        yield
    finally:
        _bars.remove(description)


def track(
    items: Iterable[Item], description: str, total: int | None = None
) -> Generator[Item, None, None]:
    """Yield the items and show the progress; without a terminal, one line every few seconds."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        yield from _bar(items, description, total)
    else:
        yield from _lines(items, description, total)


@contextlib.contextmanager
def track_bytes(description: str, total: int) -> Iterator[Advance]:
    """Show the bytes that the block counts; without a terminal, one line every few seconds."""
    if not sys.stderr.isatty():
        yield _ByteLines(description, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    text, bar = TextColumn("{task.description}"), BarColumn()
    moved, speed, left = DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    progress = Progress(text, bar, moved, speed, left, console=console, transient=True)
    with _bar_shown(description), progress:
        task = progress.add_task(description, total=total)
        yield lambda count: progress.advance(task, count)


class _ByteLines:
    def __init__(self, description: str, total: int) -> None:
        self._description = description
        self._total = total
        self._moved = 0
        self._reported = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, count: int) -> None:
        with self._lock:
            self._moved += count
            if time.monotonic() - self._reported < SECONDS_BETWEEN_LINES:
                return
            self._reported = time.monotonic()
            moved = self._moved
        logger.info("%s: %.0f of %.0f MB", self._description, moved / 1e6, self._total / 1e6)


def _bar(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import track as rich_track

    with _bar_shown(description):
        yield from rich_track(
            items, description, total=total, console=Console(stderr=True), transient=True
        )


def _lines(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    reported = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - reported >= SECONDS_BETWEEN_LINES:
            reported = time.monotonic()
            logger.info("%s: %d of %s", description, count, total or "?")
