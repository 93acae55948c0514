"""One shard: its rows are read, predicted for, and written, in memory that doesn't grow with it."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mesh.backfill.columns import ID, as_json
from mesh.backfill.division import Part, rows_of
from mesh.backfill.inputs import current_stamp
from mesh.backfill.job import Job, needed_columns
from mesh.backfill.manifest import ShardRecord
from mesh.backfill.requests import RejectedError, Requests, is_unicode
from mesh.backfill.rows import RawRow
from mesh.backfill.storage import reading
from mesh.backfill.writing import ShardWriter
from mesh.core.errors import MeshError, UsageError
from mesh.core.urls import mask_url
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError
from mesh.serve.results import RefusedDocumentError, attempt

logger = logging.getLogger(__name__)

ROWS_OF_CHUNK = 256
CHARACTERS_OF_CHUNK = 100_000
"""Documents are predicted for together, so that the network gets batches of equal length."""
_CHUNKS_AHEAD = 2

Advance = Callable[[int, int], object]
"""Counts predictions and rejected rows."""


class ServiceError(Exception):
    """Another service that a model asks fails; it may be there later."""


@dataclass(slots=True)
class Row:
    """A row on its way through a shard.

    Args:
        id: as it is written.
        copied: the values of the columns that are copied, `id` among them.
        request: None for a row that is rejected.
        rejected: why there is no prediction.
    """

    number: int
    id: Any
    copied: dict[str, Any]
    request: BaseModel | None = None
    rejected: RejectedError | None = None
    characters: int = 0


def compute_part(job: Job, part: Part, model: ServedModel, advance: Advance) -> ShardRecord:
    """Make the shard of a part of the input.

    Args:
        model: loaded.

    Returns:
        The record of the shard, which is also written.

    Raises:
        MeshError: it can't be made.
        ServiceError: see there.
        OSError: it may be possible later.
    """
    columns = job.columns(model)
    with ShardWriter(job, part, columns.schema) as writer:
        rows = _prepared(job, part, Requests(model, job.settings))
        for chunk in _read_ahead(_chunks(rows)):
            before = writer.rejected
            for row, result in zip(chunk, _predict(model, chunk), strict=True):
                values = columns.row(result) if isinstance(result, BaseModel) else result
                if isinstance(values, dict):
                    writer.write({**row.copied, **values}, row.characters)
                else:
                    refused = (
                        RejectedError("refused", values) if isinstance(values, str) else values
                    )
                    writer.reject(row.number, row.id, refused.reason, refused.detail)
            rejected = writer.rejected - before
            advance(len(chunk) - rejected, rejected)
        if current_stamp(part.file) != part.file.stamp:
            raise MeshError(f"{mask_url(part.file.url)} was changed while it was read; run again.")
        return writer.finish()


def _prepared(job: Job, part: Part, requests: Requests) -> Iterator[Row]:
    with reading(mask_url(part.file.url)):
        for raw in rows_of(part, needed_columns(job.settings)):
            yield _prepare(job, part, raw, requests)


def _prepare(job: Job, part: Part, raw: RawRow, requests: Requests) -> Row:
    row = Row(raw.number, default_id(part, raw.number), {})
    try:
        if raw.problem:
            raise RejectedError("malformed", raw.problem)
        row.id = find_id(job, part, raw)
        row.copied = {
            name: row.id if name == ID else _copied(raw.values.get(name), kind)
            for name, kind in job.types.items()
        }
        row.request = requests.make(raw.values)
        row.characters = len(raw.values[job.settings.text])
    except RejectedError as error:
        row.rejected = error
    return row


def default_id(part: Part, number: int) -> str:
    """The id of a row without one of its own."""
    return f"{part.file.name}:{number}"


def find_id(job: Job, part: Part, raw: RawRow) -> Any:
    """The id of a row.

    Raises:
        RejectedError: it has none.
    """
    column = job.settings.id
    if not column:
        return default_id(part, raw.number)
    value = raw.values.get(column)
    if value is None or value == "":
        raise RejectedError("no id", f"the column {column!r} has no value")
    return _copied(value, job.types[ID])


def _copied(value: Any, kind: Any) -> Any:
    """A value as the output has it."""
    import pyarrow as pa

    if value is None or not pa.types.is_string(kind):
        return value
    if not isinstance(value, str):
        value = as_json(value)
    return value if is_unicode(value) else value.encode("utf-8", "replace").decode()


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        characters += row.characters
        if len(chunk) == ROWS_OF_CHUNK or characters >= CHARACTERS_OF_CHUNK:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _read_ahead(chunks: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The chunks, which another thread reads while those before them are computed."""
    ready: queue.Queue[list[Row] | BaseException | None] = queue.Queue(_CHUNKS_AHEAD)
    ended = threading.Event()

    def put(item: list[Row] | BaseException | None) -> None:
        while not ended.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return

    def read() -> None:
        try:
            for chunk in chunks:
                put(chunk)
                if ended.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=read, name="reading", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        ended.set()
        thread.join()


def _predict(model: ServedModel, chunk: Sequence[Row]) -> list[BaseModel | RejectedError]:
    """For each row a response, or why there is none."""
    requests = [row.request for row in chunk if row.request is not None]
    try:
        found = list(model.predict_batch(requests)) if requests else []
    except Exception:
        found = [attempt(model.predict, request) for request in requests]
    results = iter(found)
    return [row.rejected or _accepted(next(results)) for row in chunk]


def _accepted(result: BaseModel | Exception) -> BaseModel | RejectedError:
    if isinstance(result, BaseModel):
        return result
    if isinstance(result, ProblemError):
        if result.status >= 500:
            raise ServiceError(str(result.detail)) from result
        return RejectedError("refused", str(result.detail))
    if isinstance(result, UsageError):
        reason = result.reason if isinstance(result, RefusedDocumentError) else result
        return RejectedError("refused", str(reason))
    if isinstance(result, MeshError | MemoryError):
        raise result
    logger.error("The model failed for a document", exc_info=result)
    return RejectedError("failed", f"the model failed: {type(result).__name__}")
