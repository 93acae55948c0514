"""Unvalidated rows of data files: CSV, TSV, JSON lines, Parquet and CoNLL, read as a stream."""

import io
import itertools
import json
import logging
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from zstandard import ZstdError

from mesh.core.errors import MeshError
from mesh.data.annotations import split_export
from mesh.data.conll import read_conll
from mesh.data.delimited import read_table, require_distinct
from mesh.data.raw_row import RawRow
from mesh.data.text_files import find_encoding, open_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """How files are read where that isn't found out.

    Args:
        columns: names of a table's columns where it has no header, or of a CoNLL file's.
        delimiter: of tables.
        encoding: of text files.
    """

    columns: Sequence[str] = ()
    delimiter: str = ""
    encoding: str = ""


def read_file(path: Path, file_format: str, reading: Reading | None = None) -> Iterator[RawRow]:
    """Yield the rows of a file, decompressed by its suffix.

    Args:
        file_format: csv, tsv, jsonl, parquet or conll.

    Raises:
        MeshError: the file is damaged, or can't be read as the format has it.
    """
    reading = reading or Reading()
    try:
        if file_format == "parquet":
            yield from _read_parquet(path)
            return
        encoding = reading.encoding or find_encoding(path)
        with open_text(path, encoding) as file:
            if not encoding.startswith("utf-8"):
                logger.info("%s: encoding %s", path.name, encoding)
            yield from _TEXT_READERS[file_format](file, reading)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ZstdError) as error:
        raise MeshError(f"{path.name} is damaged or incomplete: {error}.") from error


def _read_jsonl(file: TextIO, reading: Reading) -> Iterator[RawRow]:
    first = next(file, "")
    if first.lstrip().startswith("[") and not _is_json(first):
        yield from _read_json(io.StringIO(first + file.read()), reading)
        return
    for number, line in enumerate(itertools.chain([first], file), start=1):
        if not line.strip():
            continue
        try:
            value = _loaded(line)
        except (ValueError, RecursionError) as error:
            yield RawRow(number, problem=f"not JSON: {error}")
        else:
            yield from (_object(number, item) for item in split_export([value]))


def _read_json(file: TextIO, reading: Reading) -> Iterator[RawRow]:
    text = file.read()
    try:
        value = _loaded(text)
    except (ValueError, RecursionError) as error:
        # Many call JSON lines so, too.
        if text.lstrip().startswith("{") and "Extra data" in str(error):
            yield from _read_jsonl(io.StringIO(text), reading)
            return
        raise MeshError(f"The file isn't JSON: {error}.") from error
    for number, item in enumerate(split_export(value), start=1):
        yield _object(number, item)


def _loaded(text: str) -> Any:
    """The value of a text in JSON.

    Raises:
        ValueError: it isn't JSON, or two fields of an object have one name.
    """
    return json.loads(text, object_pairs_hook=_distinct)


def _is_json(line: str) -> bool:
    try:
        _loaded(line)
    except (ValueError, RecursionError):
        return False
    return True


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two fields are called {repeated!r}")
    return fields


def _object(number: int, value: Any) -> RawRow:
    if isinstance(value, dict):
        return RawRow(number, value)
    return RawRow(number, problem="not a JSON object")


def _read_csv(file: TextIO, reading: Reading) -> Iterator[RawRow]:
    return read_table(file, reading.delimiter, reading.columns)


def _read_tsv(file: TextIO, reading: Reading) -> Iterator[RawRow]:
    return read_table(file, reading.delimiter or "\t", reading.columns)


def _read_conll(file: TextIO, reading: Reading) -> Iterator[RawRow]:
    return read_conll(file, reading.columns)


def _read_parquet(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            require_distinct(file.schema_arrow.names)
            names = _tag_names(file.schema_arrow.metadata or {})
            for batch in file.iter_batches(batch_size=1024):
                for fields in batch.to_pylist():
                    number += 1
                    yield RawRow(number, _with_names(fields, names))
    except pa.ArrowException as error:
        raise MeshError(f"{path.name} is damaged after row {number}: {error}.") from error


def _tag_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names of the numbers in lists of tags, as Hugging Face's `datasets` writes them."""
    described = json.loads(metadata.get(b"huggingface", b"{}"))
    features = described.get("info", {}).get("features", {})
    return {
        name: feature["feature"]["names"]
        for name, feature in features.items()
        if isinstance(feature, dict)
        and isinstance(feature.get("feature"), dict)
        and "names" in feature["feature"]
    }


def _with_names(fields: dict[str, Any], names: Mapping[str, list[str]]) -> dict[str, Any]:
    return fields | {
        name: [
            known[number] if isinstance(number, int) and 0 <= number < len(known) else number
            for number in fields[name]
        ]
        for name, known in names.items()
        if isinstance(fields.get(name), list)
    }


_TEXT_READERS: dict[str, Callable[[TextIO, Reading], Iterator[RawRow]]] = {
    "conll": _read_conll,
    "csv": _read_csv,
    "json": _read_json,
    "jsonl": _read_jsonl,
    "tsv": _read_tsv,
}
