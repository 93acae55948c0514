"""Unvalidated rows of data files: CSV, TSV, JSON lines, Parquet and CoNLL, read as a stream."""

import csv
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import fsspec

from mesh.core.errors import MeshError
from mesh.data.conll import read_conll
from mesh.data.raw_row import RawRow

_MAX_FIELD_CHARACTERS = 10_000_000


def read_file(path: Path, file_format: str, columns: Sequence[str] = ()) -> Iterator[RawRow]:
    """Yield the rows of a file, decompressed by its suffix.

    Args:
        file_format: csv, tsv, jsonl, parquet or conll.
        columns: names of a CSV or TSV file's columns where it has no header, or of a CoNLL file's.

    Raises:
        MeshError: the file is damaged, so the rest of it can't be read either.
    """
    try:
        if file_format == "parquet":
            yield from _read_parquet(path)
            return
        # Bytes that aren't UTF-8 become surrogates, so that only their row is rejected.
        with fsspec.open(
            str(path), "rt", compression="infer", encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as file:  # fmt: skip
            yield from _TEXT_READERS[file_format](file, columns)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise MeshError(f"{path.name} is damaged or incomplete: {error}.") from error


def _read_jsonl(file: TextIO, _columns: Sequence[str]) -> Iterator[RawRow]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield RawRow(number, problem=f"not JSON: {error}")
        else:
            if isinstance(value, dict):
                yield RawRow(number, value)
            else:
                yield RawRow(number, problem="not a JSON object")


def _read_csv(file: TextIO, columns: Sequence[str]) -> Iterator[RawRow]:
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    return _read_table(csv.reader(file, strict=True), columns)


def _read_tsv(file: TextIO, columns: Sequence[str]) -> Iterator[RawRow]:
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    # The format has no quoting: quotes are part of the text.
    return _read_table(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), columns)


def _read_table(reader: Any, columns: Sequence[str]) -> Iterator[RawRow]:
    names = list(columns)
    while True:
        first = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(first, problem=f"not CSV: {error}", lines=reader.line_num - first + 1)
            continue
        if not values:
            continue
        if not names:
            names = values
        elif len(values) != len(names):
            yield RawRow(first, problem=f"{len(values)} columns instead of {len(names)}")
        else:
            yield RawRow(first, dict(zip(names, values, strict=True)))


def _read_parquet(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for fields in batch.to_pylist():
                    number += 1
                    yield RawRow(number, fields)
    except pa.ArrowException as error:
        raise MeshError(f"{path.name} is damaged after row {number}: {error}.") from error


_TEXT_READERS: dict[str, Callable[[TextIO, Sequence[str]], Iterator[RawRow]]] = {
    "conll": read_conll,
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "tsv": _read_tsv,
}
