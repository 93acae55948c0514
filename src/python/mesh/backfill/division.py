"""The division of input files into parts, each of which becomes one shard of the output."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mesh.backfill.inputs import InputFile
from mesh.backfill.rows import RawRow, csv_header, open_input, row_ends, skip, text_rows
from mesh.backfill.storage import open_file, reading
from mesh.core.errors import UsageError
from mesh.core.urls import mask_url

_THREADS = 4
_UNPACKED = 4
"""About how many bytes a compressed byte of text becomes."""
_LOOKED_AT = 100
"""Rows of a file of JSON Lines in which columns are looked for."""
_ROWS_OF_BATCH = 256
_BUFFER = 1 << 20
"""Bytes of a column that are read at once; else it is all of a row group."""


@dataclass(frozen=True)
class Part:
    """A part of an input file.

    Args:
        number: in its file, from 0.
        first_row: the number of its first row in the file, from 0.
        start, stop: of Parquet, the numbers of its first row and of the one after its last; of text,
            the bytes of the uncompressed file. A `stop` of None is the end of the file.
        header: names of a CSV file's columns.
    """

    file: InputFile
    number: int
    first_row: int
    start: int
    stop: int | None
    header: tuple[str, ...] = ()


def divide(
    files: Sequence[InputFile], shard_bytes: int, needed: Sequence[str]
) -> tuple[list[Part], dict[str, Any]]:
    """Divide files into parts of about so many uncompressed bytes.

    Args:
        needed: columns that every file must have.

    Returns:
        The parts, and the Arrow type of each needed column where all files say the same one.

    Raises:
        UsageError: a file lacks a column.
        MeshError: a file can't be read.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        divided = list(pool.map(lambda file: _divide(file, shard_bytes, needed), files))
    types: dict[str, Any] = {}
    for name in needed:
        found = {found.get(name) for _, found in divided}
        if len(found) == 1 and (one := found.pop()) is not None:
            types[name] = one
    return [part for parts, _ in divided for part in parts], types


def rows_of(part: Part, columns: Sequence[str]) -> Iterator[RawRow]:
    """The rows of a part, in their order.

    Args:
        columns: those that Parquet is read for.
    """
    if part.file.format == "parquet":
        yield from _parquet_rows(part, columns)
        return
    with open_input(part.file) as stream:
        skip(stream, part.start)
        for row in text_rows(part.file, stream, part.start, part.first_row, part.header):
            yield row
            if part.stop is not None and row.end >= part.stop:
                return


def _divide(
    file: InputFile, shard_bytes: int, needed: Sequence[str]
) -> tuple[list[Part], dict[str, Any]]:
    with reading(mask_url(file.url)):
        if file.format == "parquet":
            return _divide_parquet(file, shard_bytes, needed)
        return _divide_text(file, shard_bytes, needed), {}


def _divide_parquet(
    file: InputFile, shard_bytes: int, needed: Sequence[str]
) -> tuple[list[Part], dict[str, Any]]:
    import pyarrow.parquet as pq

    with open_file(file.url) as stream:
        parquet = pq.ParquetFile(stream)
        schema, metadata = parquet.schema_arrow, parquet.metadata
    _require(file, needed, schema.names)
    bounds = [0]
    size = 0.0
    row = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        # A group that is much larger is divided into ranges of equal numbers of rows.
        pieces = min(max(1, round(group.total_byte_size / shard_bytes)), max(1, group.num_rows))
        for piece in range(pieces):
            if size and size + group.total_byte_size / pieces > 1.5 * shard_bytes:
                bounds.append(row + group.num_rows * piece // pieces)
                size = 0
            size += group.total_byte_size / pieces
        row += group.num_rows
    bounds.append(row)
    parts = [
        Part(file, number, start, start, stop)
        for number, (start, stop) in enumerate(itertools.pairwise(bounds))
        if stop > start
    ]
    return parts, {name: schema.field(name).type for name in needed}


def _divide_text(file: InputFile, shard_bytes: int, needed: Sequence[str]) -> list[Part]:
    header: list[str] = []
    start = 0
    if file.format == "csv":
        header, start = csv_header(file)
    if file.size == 0 or (file.format == "csv" and not header):
        return []
    with open_input(file) as stream:
        skip(stream, start)
        looked_at = list(itertools.islice(text_rows(file, stream, start, 0, header), _LOOKED_AT))
    present = header or list({name: None for row in looked_at for name in row.values})
    if looked_at and (header or any(not row.problem for row in looked_at)):
        _require(file, needed, present)
    bounds = [(start, 0)]
    if file.size * (_UNPACKED if file.compression else 1) > shard_bytes:
        bounds += _find_bounds(file, start, shard_bytes)
    ends: list[int | None] = [offset for offset, _ in bounds[1:]]
    return [
        Part(file, number, first_row, offset, stop, tuple(header))
        for number, ((offset, first_row), stop) in enumerate(
            zip(bounds, [*ends, None], strict=True)
        )
    ]


def _find_bounds(file: InputFile, start: int, shard_bytes: int) -> list[tuple[int, int]]:
    """Where parts begin, after the first: offset and number of the row there."""
    bounds: list[tuple[int, int]] = []
    begun = end = start
    with open_input(file) as stream:
        skip(stream, start)
        for number, following in enumerate(row_ends(file, stream, start)):
            if end - begun >= shard_bytes:
                begun = end
                bounds.append((end, number))
            end = following
    return bounds


def _require(file: InputFile, needed: Sequence[str], present: Sequence[str]) -> None:
    missing = [name for name in needed if name not in present]
    if missing:
        raise UsageError(
            f"{mask_url(file.url)} has no column {', '.join(map(repr, missing))}; its columns are "
            f"{', '.join(map(repr, present)) or 'none'}. Name yours by --text, --id, --language-column, "
            "--configuration-column or --carry."
        )


def _parquet_rows(part: Part, columns: Sequence[str]) -> Iterator[RawRow]:
    import pyarrow.parquet as pq

    stop = part.stop or part.start
    with open_file(part.file.url) as stream:
        parquet = pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)
        groups, number = _groups_of(parquet.metadata, part.start, stop)
        for batch in parquet.iter_batches(
            _ROWS_OF_BATCH, row_groups=groups, columns=list(columns), use_threads=False
        ):
            if number + len(batch) > part.start:
                kept = batch.slice(max(0, part.start - number), stop - max(number, part.start))
                yield from _batch_rows(kept, max(number, part.start))
            number += len(batch)
            if number >= stop:
                return


def _groups_of(metadata: Any, start: int, stop: int) -> tuple[list[int], int]:
    """The row groups that hold a range of rows, and the number of the first row in them."""
    groups: list[int] = []
    begin = 0
    first = 0
    for index in range(metadata.num_row_groups):
        end = begin + metadata.row_group(index).num_rows
        if end > start and begin < stop:
            first = first if groups else begin
            groups.append(index)
        begin = end
    return groups, first


def _batch_rows(batch: Any, first: int) -> Iterator[RawRow]:
    columns = {name: batch.column(name) for name in batch.schema.names}
    try:
        values = {name: column.to_pylist() for name, column in columns.items()}
    except UnicodeDecodeError:
        for index in range(len(batch)):
            try:
                row = {name: column[index].as_py() for name, column in columns.items()}
            except UnicodeDecodeError:
                yield RawRow(first + index, {}, problem="a string in it isn't UTF-8")
            else:
                yield RawRow(first + index, row)
        return
    for index in range(len(batch)):
        yield RawRow(first + index, {name: column[index] for name, column in values.items()})
