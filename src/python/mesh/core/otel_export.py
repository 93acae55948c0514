"""Sends spans to a collector, in the background, and counts those that are lost."""

import logging
import threading
import time
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_COMPLAINTS = 600
UNKNOWN = "no success in time"
_MAX_REASON = 80


class Delivery(SpanExporter):
    """Counts spans on their way through an exporter, and says seldom that they are lost.

    Args:
        exporter: sends them; it knows the headers with keys, which are shown nowhere.
        place: the collector, as it is shown.

    Attributes:
        sent: how many spans the collector has taken.
        dropped: how many are lost, by reason: `queue_full`, `unsent`.
    """

    def __init__(self, exporter: SpanExporter, place: str) -> None:
        self.sent = 0
        self.dropped = {"queue_full": 0, "unsent": 0}
        self.waiting = 0
        self._exporter = exporter
        self._place = place
        self._lock = threading.Lock()
        self._complained: dict[str, float] = {}
        self._sending = 0
        logging.getLogger(type(exporter).__module__).addFilter(_SAID)

    def take(self, most: int) -> bool:
        """Let a span wait, or count it as dropped where so many wait already."""
        with self._lock:
            has_room = self.waiting < most
            if has_room:
                self.waiting += 1
        if not has_room:
            self._lose("queue_full", 1, f"{self._place} takes them more slowly than they are made")
        return has_room

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, in the thread of the processor."""
        with self._lock:
            self.waiting -= len(spans)
            self._sending = len(spans)
        _SAID.reason = UNKNOWN
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            # What calls this would log it for each batch, and count nothing.
            _SAID.reason = type(error).__name__
            result = SpanExportResult.FAILURE
        self._sending = 0
        if result is SpanExportResult.SUCCESS:
            with self._lock:
                self.sent += len(spans)
        else:
            reason = f"{self._place} didn't take them ({_SAID.reason})"
            self._lose("unsent", len(spans), reason)
        return result

    def give_up(self) -> None:
        """Count what isn't sent as lost, since the process ends."""
        if left := self.waiting + self._sending:
            reason = f"{self._place} didn't take {left} of them before the end of the process"
            self._lose("unsent", left, reason)

    def shutdown(self) -> None:
        """Send nothing any more."""
        self._exporter.shutdown()

    def _lose(self, kind: str, count: int, reason: str) -> None:
        with self._lock:
            self.dropped[kind] += count
            now = time.monotonic()
            last = self._complained.get(kind)
            if last is not None and now - last < SECONDS_BETWEEN_COMPLAINTS:
                return
            self._complained[kind] = now
        logger.warning("Spans are dropped: %s.", reason)


class BoundedProcessor(BatchSpanProcessor):
    """Hands ended spans to a delivery, in batches; where too many wait, new ones are dropped.

    The end of a span never waits for the collector.

    Args:
        most: how many may wait.
    """

    def __init__(self, delivery: Delivery, most: int) -> None:
        super().__init__(delivery, max_queue_size=most)
        self._delivery = delivery
        self._most = most

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span, if it is sampled."""
        is_sampled = span.context is not None and span.context.trace_flags.sampled
        if is_sampled and self._delivery.take(self._most):
            super().on_end(span)


class LastWords(logging.Filter):
    """Keeps an exporter's messages out of the log, where each batch would add some, with its URL.

    Attributes:
        reason: of the last failure, without what may be secret.
    """

    reason = UNKNOWN

    def filter(self, record: logging.LogRecord) -> bool:
        """Note the reason in a message: a status, or the kind of an error."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        for argument in arguments:
            if isinstance(argument, Exception):
                self.reason = type(argument).__name__
                break
            if isinstance(argument, int):
                self.reason = f"status {argument}"
                break
        else:
            if str(record.msg).startswith("Transient") and arguments:
                self.reason = str(arguments[0])[:_MAX_REASON]
        return False


_SAID = LastWords()
