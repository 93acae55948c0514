"""The progress of a backfill, and the figures of its end."""

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from mesh.backfill.distribution import Begun
from mesh.backfill.job import total_reasons
from mesh.backfill.manifest import ShardRecord
from mesh.backfill.settings import BackfillSettings
from mesh.core.errors import MeshError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0


@dataclass
class Progress:
    """What is finished of a backfill, with a bar on a terminal and a line every 30 s elsewhere.

    Args:
        total: shards of the input.
        retries: how often a shard was tried again.
        found: records of those that were finished before.
    """

    settings: BackfillSettings
    total: int
    found: Sequence[ShardRecord]
    made: list[ShardRecord] = field(default_factory=list)
    begun: Begun = field(default_factory=dict)
    retries: int = 0
    seconds: float = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._logged = self._started
        self._stack = ExitStack()
        self._bar: Any = None
        if sys.stderr.isatty():
            self._show_bar()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.seconds = time.monotonic() - self._started
        self._stack.close()

    def add(self, record: ShardRecord) -> None:
        """Count a finished shard."""
        self.begun.pop(record.name, None)
        self.made.append(record)
        self._show()

    def look(self, begun: Begun) -> None:
        """Count the rows of shards that are computed now.

        Raises:
            MeshError: too many rows are rejected.
        """
        self.begun = begun
        self._show()
        records = [*self.found, *self.made]
        rejected = sum(record.rejected for record in records) + sum(no for _, no in begun.values())
        rows = sum(record.rows for record in records) + sum(yes for yes, _ in begun.values())
        require_few_rejected(self.settings, rows, rejected, total_reasons(records))

    @property
    def rows(self) -> int:
        """Rows of this run: predicted for and rejected."""
        finished = sum(record.rows + record.rejected for record in self.made)
        return finished + sum(map(sum, self.begun.values()))

    def figures(self) -> dict[str, Any]:
        """The figures of a summary."""
        records = [*self.found, *self.made]
        return {
            "shards": self.total,
            "shards_made": len(self.made),
            "shards_found": len(self.found),
            "rows": sum(record.rows for record in records),
            "rejected": sum(record.rejected for record in records),
            "reasons": total_reasons(records),
            "seconds": round(self.seconds, 3),
            "documents_per_second": round(self.rows / self.seconds, 3) if self.made else None,
            "retries": self.retries,
        }

    def line(self) -> str:
        """How far it is, in words."""
        seconds = time.monotonic() - self._started
        rejected = sum(record.rejected for record in self.made)
        rejected += sum(no for _, no in self.begun.values())
        left = self._seconds_left(seconds)
        ends = "" if left is None else f", about {_duration(left)} left"
        done = len(self.found) + len(self.made)
        return (
            f"{done} of {self.total} shards, {self.rows:,} rows, {rejected:,} rejected, "
            f"{self.rows / max(seconds, 1e-9):,.1f} documents/s{ends}"
        )

    def _seconds_left(self, seconds: float) -> float | None:
        if not self.made:
            return None
        mean = sum(record.rows + record.rejected for record in self.made) / len(self.made)
        begun = sum(min(1.0, sum(rows) / max(1.0, mean)) for rows in self.begun.values())
        done = len(self.made) + begun
        return seconds * (self.total - len(self.found) - done) / done

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.update(
                self._task, completed=len(self.found) + len(self.made), description=self.line()
            )
        elif time.monotonic() - self._logged >= SECONDS_BETWEEN_LINES:
            self._logged = time.monotonic()
            logger.info("%s", self.line())

    def _show_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = BarColumn(), TextColumn("{task.description}")
        self._bar = self._stack.enter_context(
            Bar(*columns, console=Console(stderr=True), transient=True)
        )
        self._task = self._bar.add_task("starting", total=self.total, completed=len(self.found))


def require_few_rejected(
    settings: BackfillSettings, rows: int, rejected: int, reasons: dict[str, int]
) -> None:
    """Check that not too many rows are rejected.

    Raises:
        MeshError: they are more than the settings allow.
    """
    seen = rows + rejected
    if seen and seen >= settings.max_rejected_after and rejected > settings.max_rejected * seen:
        listed = ", ".join(f"{reason}: {count:,}" for reason, count in reasons.items())
        raise MeshError(
            f"{rejected:,} of {seen:,} rows are rejected, more than {settings.max_rejected:.2%}"
            f"{f' ({listed})' if listed else ''}; see rejected/ in the output, or raise --max-rejected."
        )


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
