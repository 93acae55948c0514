"""The comparison of an output with its input and its manifest, without any computation."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mesh.backfill.columns import ID
from mesh.backfill.division import Part, rows_of
from mesh.backfill.job import Job, needed_columns
from mesh.backfill.manifest import (
    DATA,
    MANIFEST_FILE,
    RECORDS,
    REJECTED,
    SUCCESS_FILE,
    BackfillManifest,
    ShardRecord,
)
from mesh.backfill.requests import RejectedError
from mesh.backfill.shard import default_id, find_id
from mesh.backfill.storage import patiently, reading
from mesh.core.manifest import FileEntry
from mesh.core.urls import mask_url

logger = logging.getLogger(__name__)

_THREADS = 4
_SHOWN = 20
_ROWS_OF_BATCH = 4096


def verify(job: Job, parts: Sequence[Part]) -> int:
    """Compare an output with its input; log each difference.

    Returns:
        0 if the output is complete and right, 1 if it isn't.
    """
    problems = list(_problems(job, parts))
    for problem in problems[:_SHOWN]:
        logger.error("%s", problem)
    if len(problems) > _SHOWN:
        logger.error("and %d more differences", len(problems) - _SHOWN)
    if not problems:
        logger.info("%s is complete: all files are those that were written", job.folder)
    return 1 if problems else 0


def _problems(job: Job, parts: Sequence[Part]) -> Iterator[str]:
    what = f"The output {job.folder}"
    content = patiently(lambda: job.folder.read(MANIFEST_FILE), what)
    if content is None:
        yield f"{job.folder} has no {MANIFEST_FILE}: there is no complete backfill by this model"
        return
    try:
        manifest = BackfillManifest.model_validate_json(content)
    except ValueError:
        yield f"{job.folder}/{MANIFEST_FILE} is malformed"
        return
    if patiently(lambda: job.folder.read(SUCCESS_FILE), what) is None:
        yield f"{job.folder} has no {SUCCESS_FILE}: a run hasn't ended"
    records = {record.key: record for record in manifest.shards}
    keys = {job.key(part): part for part in parts}
    for record in manifest.shards:
        if record.key not in keys:
            yield f"{record.name} belongs to no part of the input, the model and the settings of now"
    yield from patiently(lambda: list(_unlisted(job, manifest)), what)
    with ThreadPoolExecutor(_THREADS) as pool:
        compared = [
            pool.submit(patiently, lambda p=part, r=records[key]: list(_compare(job, p, r)), what)
            for key, part in keys.items()
            if key in records
        ]
        for part in (part for key, part in keys.items() if key not in records):
            yield f"{mask_url(part.file.url)}, from row {part.first_row}: there is no shard of it"
        for future in compared:
            yield from future.result()
    yield from _sums(manifest)


def _sums(manifest: BackfillManifest) -> Iterator[str]:
    for name in ("rows", "rejected"):
        total = sum(getattr(shard, name) for shard in manifest.shards)
        if total != getattr(manifest, name):
            yield f"{MANIFEST_FILE} has {getattr(manifest, name)} {name}, its shards have {total}"


def _unlisted(job: Job, manifest: BackfillManifest) -> Iterator[str]:
    listed = {record.data.path for record in manifest.shards}
    listed |= {record.rejects.path for record in manifest.shards if record.rejects}
    listed |= {f"{RECORDS}/{record.name}.json" for record in manifest.shards}
    for below in (DATA, REJECTED, RECORDS):
        for name in job.folder.names(below):
            if name not in listed:
                yield f"{name} is not in {MANIFEST_FILE}"


def _compare(job: Job, part: Part, record: ShardRecord) -> Iterator[str]:
    """The differences of a shard from its part of the input."""
    for entry in filter(None, (record.data, record.rejects)):
        if not job.folder.holds(entry):
            yield f"{entry.path} is missing or has other content than was written"
            return
    written = _ids(job, record.data)
    rejected = _ids(job, record.rejects) if record.rejects else Counter[Any]()
    counts = {"rows": (written, record.rows), "rejected rows": (rejected, record.rejected)}
    for what, (counted, rows) in counts.items():
        if counted.total() != rows:
            yield f"{record.name} has {counted.total()} {what} instead of {rows}"
    yield from _different_ids(job, part, record, written, rejected)


def _different_ids(
    job: Job, part: Part, record: ShardRecord, written: Counter[Any], rejected: Counter[Any]
) -> Iterator[str]:
    for found in _input_ids(job, part):
        if written[found]:
            written[found] -= 1
        elif rejected[str(found)]:
            rejected[str(found)] -= 1
        else:
            yield f"{record.name} has no row with the id {found!r}"
    for left in (+written, +rejected):
        for found, count in left.items():
            yield f"{record.name} has {count} rows too many with the id {found!r}"


def _input_ids(job: Job, part: Part) -> Iterator[Any]:
    with reading(mask_url(part.file.url)):
        for raw in rows_of(part, needed_columns(job.settings)):
            try:
                yield default_id(part, raw.number) if raw.problem else find_id(job, part, raw)
            except RejectedError:
                yield default_id(part, raw.number)


def _ids(job: Job, entry: FileEntry) -> Counter[Any]:
    import pyarrow.parquet as pq

    counts: Counter[Any] = Counter()
    with job.folder.open(entry.path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS_OF_BATCH, columns=[ID]):
            counts.update(batch.column(0).to_pylist())
    return counts
