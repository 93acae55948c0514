"""Unvalidated rows of data files: CSV, TSV, JSON lines, Parquet and CoNLL, read as a stream."""

import csv
import itertools
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import fsspec

from mesh.core.errors import MeshError

_MAX_FIELD_CHARACTERS = 10_000_000


@dataclass(frozen=True)
class RawRow:
    """One row, or the reason why there is none.

    Args:
        line: number of its first line, or of the row in a Parquet file; from 1.
        fields: its values by name, not validated.
        problem: why it can't be read; then there are no fields.
        lines: the number of rows that a problem may have cost.
    """

    line: int
    fields: dict[str, Any] | None = None
    problem: str = ""
    lines: int = 1


def read_file(path: Path, file_format: str, columns: Sequence[str] = ()) -> Iterator[RawRow]:
    """Yield the rows of a file, decompressed by its suffix.

    Args:
        file_format: csv, tsv, jsonl, parquet or conll.
        columns: names of a CSV or TSV file's columns where it has no header.

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


def _read_conll(file: TextIO, _columns: Sequence[str]) -> Iterator[RawRow]:
    """One token a line with its tag last, an empty line between sentences."""
    block: list[list[str]] = []
    first = 1
    for number, line in enumerate(itertools.chain(file, [""]), start=1):
        if cells := line.split():
            first = first if block else number
            block.append(cells)
        elif block:
            if block[0][0] != "-DOCSTART-":
                yield _sentence(first, block)
            block = []


def _sentence(line: int, block: Sequence[Sequence[str]]) -> RawRow:
    """A text of the tokens joined by spaces, and entities of BIO, BIOES or BILOU tags."""
    entities: list[dict[str, Any]] = []
    text = ""
    open_label = None
    for offset, cells in enumerate(block):
        prefix, _, label = cells[-1].partition("-")
        if len(cells) < 2 or prefix not in "BIOESLU" or bool(label) == (prefix == "O"):
            return RawRow(line + offset, problem=f"not a token with a tag: {' '.join(cells)!r}")
        start = len(text) + 1 if text else 0
        text = f"{text} {cells[0]}" if text else cells[0]
        if label and (prefix not in "IEL" or label != open_label):
            entities.append({"start": start, "end": len(text), "label": label})
        elif label:
            entities[-1]["end"] = len(text)
        open_label = label if prefix in "BI" else None
    return RawRow(line, {"text": text, "entities": entities})


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
    "conll": _read_conll,
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "tsv": _read_tsv,
}
