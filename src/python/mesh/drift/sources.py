"""Where predictions come from: a server's log of them, or the output of a backfill."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from mesh.core.errors import UsageError, describe_invalid
from mesh.core.project import Project
from mesh.drift.backfills import find_backfill, read_backfill
from mesh.drift.sample import Sample
from mesh.serve.prediction_log.record import PATTERN, Record

_CLOCKS = timedelta(minutes=5)
"""By so much, clocks of machines may differ."""


class Served(NamedTuple):
    """What has predicted; the fingerprint of a backfill is that of its version, if it has one."""

    version: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.version} ({self.fingerprint[:12] or 'of code alone'})"


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predictions of one version.

    Args:
        source: the folder, and what is taken from it, in words.
        first: time of the first prediction; None where times aren't known.
        last: likewise.
    """

    source: str
    served: Served
    sample: Sample
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """Which predictions of a folder are taken.

    Args:
        version: the number of a version, or the beginning of its fingerprint; empty for the only
            one.
        since: none before it; None for all.
        setting: the flag that names the folder, for errors.
    """

    project: Project
    version: str
    since: datetime | None
    setting: str


def read_predictions(folder: Path, wanted: Wanted) -> Predictions:
    """Read the facts of predictions.

    Raises:
        UsageError: the folder has none, those of another model or of several versions, damaged
            files, or times in the future.
    """
    if not folder.is_dir():
        raise UsageError(f"{wanted.setting} {folder} isn't a folder.")
    if output := find_backfill(folder):
        manifest, sample = read_backfill(output, wanted.project)
        model = manifest.model
        number = (model.version or "1").rpartition("-")[2]
        served = Served(number, str(model.made_from.get("version", "")))
        return Predictions(source=f"the backfill {output}", served=served, sample=sample)
    return _read_log(folder, wanted)


def _read_log(folder: Path, wanted: Wanted) -> Predictions:
    files = sorted(folder.glob(PATTERN))
    if not files:
        raise UsageError(
            f"{wanted.setting} {folder} has no predictions: neither files of a log, which a server "
            "writes when it has some, nor the output of a backfill."
        )
    collected: dict[Served, _Collected] = {}
    future = datetime.now(UTC) + _CLOCKS
    for file in files:
        for number, record in enumerate(_records(file), 1):
            if record.model != wanted.project.name:
                raise UsageError(
                    f"{file} has predictions of {record.model}, not of {wanted.project.name}."
                )
            if record.time > future:
                raise UsageError(
                    f"{file} has a prediction of {record.time:%Y-%m-%d %H:%M} UTC (line {number}), "
                    "which is in the future: the clock of the server, or of this machine, is wrong."
                )
            if wanted.since is None or record.time >= wanted.since:
                served = Served(record.version, record.fingerprint)
                collected.setdefault(served, _Collected()).add(record)
    served = _choose(folder, list(collected), wanted)
    found = collected[served]
    return Predictions(
        source=f"the log {folder}",
        served=served,
        sample=found.sample,
        first=found.first,
        last=found.last,
    )


class _Collected:
    """The records of a version."""

    def __init__(self) -> None:
        self.sample = Sample()
        self.first: datetime | None = None
        self.last: datetime | None = None

    def add(self, record: Record) -> None:
        self.sample.add(record.facts, record.characters, record.language)
        self.first = min(self.first or record.time, record.time)
        self.last = max(self.last or record.time, record.time)


def _choose(folder: Path, found: list[Served], wanted: Wanted) -> Served:
    """The version that is wanted.

    Raises:
        UsageError: there is none, or more than one.
    """
    if not found:
        since = f" since {wanted.since:%Y-%m-%d %H:%M} UTC" if wanted.since else ""
        raise UsageError(f"{wanted.setting} {folder} has no predictions{since}.")
    said = ", ".join(map(str, sorted(found)))
    text = wanted.version
    matching: Callable[[Served], bool] = lambda one: (  # noqa: E731 - it is short
        not text or text == one.version or one.fingerprint.startswith(text)
    )
    chosen = [one for one in found if matching(one)]
    if not chosen:
        raise UsageError(f"{folder} has no predictions of version {text}; it has those of {said}.")
    if len(chosen) > 1:
        raise UsageError(
            f"{folder} has predictions of several versions: {said}. Name one by --version, by its "
            "number or the beginning of its fingerprint."
        )
    return chosen[0]


def _records(file: Path) -> Iterator[Record]:
    number = 0
    try:
        with gzip.open(file) as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 - for the error
                yield Record.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(
            f"{file} is damaged: line {number} is no prediction of a log ({describe_invalid(error)})."
            " Remove the file to compare the others."
        ) from error
    except FileNotFoundError:
        # The server has removed it meanwhile, as the oldest one.
        return
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(
            f"{file} is damaged after line {number} ({error}). Remove the file to compare the others."
        ) from error
