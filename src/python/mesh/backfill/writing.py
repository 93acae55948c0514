"""The files of a shard, which are published once they are complete."""

import errno
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mesh.backfill.division import Part
from mesh.backfill.job import Job
from mesh.backfill.manifest import DATA, RECORDS, REJECTED, ShardRecord
from mesh.backfill.storage import patiently
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry

PARTIAL = "_partial"
"""Folder of the files that are written now, beside those of the results."""

_ROWS_OF_GROUP = 4096
_CHARACTERS_OF_GROUP = 8_000_000
_ROW = 100
"""Characters that a row costs beside its text."""


class ShardWriter:
    """Writes the rows of a shard; leaves nothing behind unless it is finished.

    Args:
        schema: of the predictions.
    """

    def __init__(self, job: Job, part: Part, schema: Any) -> None:
        self._job = job
        self._part = part
        self._name = job.name(part)
        self._schema = schema
        self._reasons: Counter[str] = Counter()

    def __enter__(self) -> Self:
        import pyarrow as pa

        local = self._job.folder.local
        parent = local / PARTIAL if local else None
        try:
            if parent:
                parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(dir=parent))
        except OSError as error:
            raise self._readable(error) from error
        self._data = _Table(self._folder / DATA, self._schema)
        strings = [(name, pa.string()) for name in ("id", "reason", "detail", "file")]
        self._rejects = _Table(self._folder / REJECTED, pa.schema([*strings, ("row", pa.int64())]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._data.abandon()
        self._rejects.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise self._readable(error) from error

    @property
    def rejected(self) -> int:
        """Rejected rows so far."""
        return self._reasons.total()

    def write(self, values: dict[str, Any], characters: int) -> None:
        """Add a prediction.

        Args:
            characters: of its document.
        """
        self._data.add(values, characters)

    def reject(self, number: int, row_id: Any, reason: str, detail: str) -> None:
        """Add a row without prediction."""
        self._reasons[reason] += 1
        detail = detail.encode("utf-8", "replace").decode()
        row = {"id": str(row_id), "reason": reason, "detail": detail, "row": number}
        self._rejects.add({**row, "file": self._part.file.name}, len(detail))

    def finish(self) -> ShardRecord:
        """Publish the files, and the record after them.

        Raises:
            MeshError: they can't be written.
        """
        data = self._publish(self._data, DATA)
        rejects = self._publish(self._rejects, REJECTED) if self.rejected else None
        record = ShardRecord(
            name=self._name,
            key=self._job.key(self._part),
            input=self._part.file.name,
            shard=self._part.number,
            first_row=self._part.first_row,
            rows=self._data.rows,
            rejected=self.rejected,
            reasons=dict(sorted(self._reasons.items())),
            data=data,
            rejects=rejects,
        )
        content = record.model_dump_json(indent=2).encode() + b"\n"
        folder = self._job.folder
        patiently(lambda: folder.write(f"{RECORDS}/{self._name}.json", content), self._what)
        return record

    def _publish(self, table: "_Table", below: str) -> FileEntry:
        table.close()
        name = f"{below}/{self._name}.parquet"
        entry = FileEntry.of(table.path, name)
        patiently(lambda: self._job.folder.publish(table.path, name), self._what)
        return entry

    @property
    def _what(self) -> str:
        return f"The output {self._job.folder}"

    def _readable(self, error: OSError) -> MeshError:
        return MeshError(f"{self._what} can't be written: {error.strerror or error}.")


class _Table:
    """A Parquet file that is written in groups of rows."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.path = path
        self.rows = 0
        self._schema = schema
        self._writer: Any = None
        self._buffer: list[dict[str, Any]] = []
        self._characters = 0

    def add(self, values: dict[str, Any], characters: int) -> None:
        self._buffer.append(values)
        self._characters += characters + _ROW
        if len(self._buffer) == _ROWS_OF_GROUP or self._characters >= _CHARACTERS_OF_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError:
                # On a full disk; the file is removed anyway.
                self._writer = None

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, self._schema, compression="zstd")
        elif not self._buffer:
            return
        self._writer.write_table(pa.Table.from_pylist(self._buffer, schema=self._schema))
        self.rows += len(self._buffer)
        self._buffer = []
        self._characters = 0
