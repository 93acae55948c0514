import io
import logging
import threading
import time
from logging import LogRecord

import pytest

from mesh.core import progress
from mesh.core.progress import track, track_bytes


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_items_come_through_in_order() -> None:
    assert list(track(range(25), "work")) == list(range(25))
    assert list(track((item for item in "abc"), "work")) == ["a", "b", "c"]
    assert list(track([], "work")) == []


def test_lines_come_every_few_seconds(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    caplog.set_level(logging.INFO)
    for _ in track(range(20), "work"):
        clock[0] += progress.SECONDS_BETWEEN_LINES / 4
    assert caplog.messages == [
        "work: 4 of 20",
        "work: 8 of 20",
        "work: 12 of 20",
        "work: 16 of 20",
        "work: 20 of 20",
    ]


def test_short_work_says_nothing(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    caplog.set_level(logging.INFO)
    list(track(range(1000), "work"))
    assert caplog.messages == []


def test_an_item_counts_when_it_is_done(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    caplog.set_level(logging.INFO)
    items = track(range(2), "work")
    next(items)
    clock[0] += 2 * progress.SECONDS_BETWEEN_LINES
    assert caplog.messages == []
    next(items)
    assert caplog.messages == ["work: 1 of 2"]


def test_unknown_total(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    caplog.set_level(logging.INFO)
    for _ in track(iter("ab"), "work"):
        clock[0] += 2 * progress.SECONDS_BETWEEN_LINES
    assert caplog.messages == ["work: 1 of ?", "work: 2 of ?"]


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    assert list(track(range(3), "work")) == [0, 1, 2]
    assert "work" in terminal.getvalue()


def test_bytes_are_counted_in_lines_every_few_seconds(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    caplog.set_level(logging.INFO)
    with track_bytes("moving", 10_000_000) as advance:
        for _ in range(4):
            clock[0] += progress.SECONDS_BETWEEN_LINES / 2
            advance(2_500_000)
    assert caplog.messages == ["moving: 5 of 10 MB", "moving: 10 of 10 MB"]


def test_bytes_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with track_bytes("moving", 2_000_000) as advance:
        advance(2_000_000)
    assert "moving" in terminal.getvalue()
    assert "2.0/2.0 MB" in terminal.getvalue()


def test_silent_work_is_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_OF_SILENCE", 0.05)
    caplog.set_level(logging.INFO)
    reported = threading.Event()

    def note(_record: LogRecord) -> bool:
        reported.set()
        return True

    caplog.handler.addFilter(note)

    with progress.break_silence("keywords.train:train"):
        assert reported.wait(30)

    assert caplog.messages[0].startswith("keywords.train:train is still working (")


def test_work_that_logs_is_not_reported(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    caplog.set_level(logging.INFO)
    with progress.break_silence("work"):
        for _ in range(3):
            clock[0] += progress.SECONDS_OF_SILENCE / 2
            logging.getLogger("mesh").info("a line")
    assert caplog.messages == ["a line"] * 3


def test_silence_is_reported_once_where_a_library_replaces_the_handlers(
    caplog: pytest.LogCaptureFixture, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_OF_SILENCE", 0.05)
    caplog.set_level(logging.INFO)
    with progress.break_silence("work"):
        monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])
        clock[0] += 1
        while not caplog.messages:
            time.sleep(0.05)
        # Several times as long as it takes to look again.
        time.sleep(0.4)
    assert len(caplog.messages) == 1
