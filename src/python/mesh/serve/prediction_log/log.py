"""The log of predictions, written by a thread of its own: no answer waits for it.

Records are collected in memory. A file is complete when it appears, and has the mode 0600. What
can't be kept is dropped, and counted.
"""

import gzip
import io
import logging
import os
import random
import secrets
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import remove_partials, write_bytes_atomic
from mesh.serve.model import ServedModel
from mesh.serve.prediction_log.record import PATTERN, PREFIX, SUFFIX, Recorder, documents_of
from mesh.serve.prediction_log.settings import PredictionLogSettings

logger = logging.getLogger(__name__)

MOST_WAITING = 256
"""Requests; more are dropped."""
MOST_CHARACTERS = 8_000_000
"""Of the waiting requests' documents."""
MOST_FILES = 10_000
SECONDS_OF_CLOSING = 5
_BLOCK = 4096
"""Bytes that even the smallest file takes on a disk."""


class PredictionLog:
    """Takes requests with their responses, and writes their facts.

    Args:
        model: loaded before the first request is taken.
        registry: shows how many records are written and dropped.

    Raises:
        UsageError: the folder can't be used.
    """

    def __init__(
        self,
        folder: Path,
        model: ServedModel,
        settings: PredictionLogSettings,
        registry: CollectorRegistry,
    ) -> None:
        self._folder = _usable(folder)
        self._model = model
        self._settings = settings
        self._written = Counter(
            "prediction_log_records_total",
            "Predictions whose facts are in the log.",
            registry=registry,
        )
        self._dropped = Counter(
            "prediction_log_dropped_total",
            "Requests and predictions that were chosen for the log and aren't in it, by reason.",
            ("reason",),
            registry=registry,
        )
        for reason in ("queue_full", "not_written", "failed"):
            self._dropped.labels(reason)
        self._waiting: deque[tuple[float, Any, Any, int]] = deque()
        self._characters = 0
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_failing = False
        self._recorder: Recorder | None = None
        self._thread = threading.Thread(target=self._write, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits; gives up after a few seconds."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(SECONDS_OF_CLOSING)

    def offer(self, request: Any, response: Any) -> None:
        """Take a request with its response, or the list of its outputs, if chance wants it so."""
        if random.random() >= self._settings.prediction_log_share:  # noqa: S311 - not a secret
            return
        size = sum(len(text or "") for text in documents_of(request))
        with self._changed:
            has_room = len(self._waiting) < MOST_WAITING
            if has_room and self._characters + size <= MOST_CHARACTERS:
                self._waiting.append((time.time(), request, response, size))
                self._characters += size
                self._changed.notify()
                return
        self._dropped.labels("queue_full").inc()

    def _write(self) -> None:
        remove_partials(self._folder, PATTERN)
        while not (self._is_closed and not self._waiting):
            segment = _Segment()
            end = time.monotonic() + self._settings.prediction_log_seconds
            while taken := self._take(end):
                self._add(segment, *taken)
                if segment.size >= self._settings.prediction_log_file_mb * 1e6:
                    break
            if segment.records:
                self._publish(segment)

    def _take(self, end: float) -> tuple[float, Any, Any] | None:
        """The next request; None at the end of the time, or of the log."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._is_closed, max(0, end - time.monotonic())
            )
            if not self._waiting:
                return None
            moment, request, response, size = self._waiting.popleft()
            self._characters -= size
            return moment, request, response

    def _add(self, segment: "_Segment", moment: float, request: Any, response: Any) -> None:
        try:
            self._recorder = self._recorder or Recorder(
                self._model, with_text=self._settings.prediction_log_text
            )
            records = self._recorder.records(datetime.fromtimestamp(moment, UTC), request, response)
            lines = [record.model_dump_json(exclude_none=True).encode() for record in records]
        except Exception:
            # A defect of the log must not end it, nor fill the log of the server.
            self._dropped.labels("failed").inc()
            self._complain("A prediction can't be logged", exc_info=True)
            return
        for line in lines:
            segment.add(line)

    def _publish(self, segment: "_Segment") -> None:
        now = datetime.now(UTC)
        name = f"{PREFIX}{now:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}{SUFFIX}"
        try:
            # Somebody may have removed it.
            _make(self._folder)
            write_bytes_atomic(self._folder / name, segment.content(), mode=0o600)
        except (MeshError, OSError) as error:
            self._dropped.labels("not_written").inc(segment.records)
            self._complain(f"Predictions are not logged, and dropped: {error}")
            return
        self._written.inc(segment.records)
        self._is_failing = False
        self._remove_old()

    def _complain(self, problem: str, *, exc_info: bool = False) -> None:
        """Log a problem once, until the next file is written."""
        if not self._is_failing:
            logger.error("%s", problem, exc_info=exc_info)
        self._is_failing = True

    def _remove_old(self) -> None:
        """Keep the folder within its size."""
        left = self._settings.prediction_log_max_mb * 1e6
        for number, file in enumerate(sorted(self._folder.glob(PATTERN), reverse=True)):
            try:
                left -= max(_BLOCK, file.stat().st_size)
                if left < 0 or number >= MOST_FILES:
                    file.unlink()
            except OSError:
                # Another server that logs there has removed it.
                continue


class _Segment:
    """The records of a file, compressed."""

    def __init__(self) -> None:
        self._content = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._content, mode="wb", compresslevel=6, mtime=0)
        self.records = 0

    @property
    def size(self) -> int:
        """Bytes so far, but for those that aren't compressed yet."""
        return self._content.tell()

    def add(self, line: bytes) -> None:
        """Add a record."""
        self._file.write(line + b"\n")
        self.records += 1

    def content(self) -> bytes:
        """The bytes of the file; nothing may be added after it."""
        self._file.close()
        return self._content.getvalue()


def _usable(folder: Path) -> Path:
    """The folder, made if needed.

    Raises:
        UsageError: files can't be written there.
    """
    try:
        _make(folder)
        problem = "" if os.access(folder, os.W_OK | os.X_OK) else "it may not be written"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise UsageError(
            f"SERVE_PREDICTION_LOG_DIR={folder} can't be used ({problem}); name a folder that the "
            "server's user may write."
        )
    return folder


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
