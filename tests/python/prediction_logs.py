"""Logs of predictions of a made-up model, for tests of what compares them."""

import gzip
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mesh.core.project import Project
from mesh.serve.prediction_log.record import PREFIX, SUFFIX, Record

PROJECT = Project(name="films", description="Judges reviews.", port=8000)
FINGERPRINT = "f" * 64
NOW = datetime.now(UTC)


def records(
    count: int,
    *,
    seed: int = 0,
    good: float = 0.5,
    length: float = 100,
    language: str = "en",
    model: str = "films",
    version: str = "1",
    fingerprint: str = FINGERPRINT,
    time: datetime = NOW - timedelta(hours=1),
) -> list[Record]:
    """Records of reviews, of which a share is good; their lengths vary about a mean."""
    chance = random.Random(seed)  # - not a secret
    return [
        Record(
            time=time,
            model=model,
            version=version,
            fingerprint=fingerprint,
            characters=max(1, round(chance.gauss(length, length / 5))),
            language=language,
            facts={
                "label": "good" if chance.random() < good else "bad",
                "score": chance.random(),
                "names.kind": {"PER": 1 + chance.randrange(2), "LOC": 1},
            },
        )
        for _ in range(count)
    ]


def write_log(folder: Path, found: Iterable[Record], name: str = "a") -> Path:
    """Write a file of a log, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{PREFIX}20260101T000000Z-{name}{SUFFIX}"
    lines = (record.model_dump_json(exclude_none=True) for record in found)
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return file
