"""Rows of input files, whatever their format."""

import contextlib
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from mesh.backfill.inputs import InputFile
from mesh.backfill.storage import open_file

MAX_LINE = 64 * 1024 * 1024
"""Bytes of a line, and characters of a field; longer ones are rejected, so that memory stays bounded."""

_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the file has it.

    Args:
        number: in its file, from 0.
        values: the wanted columns that it has.
        end: bytes of the uncompressed file up to its end; 0 in Parquet.
        problem: why it can't be read; then it has no values.
    """

    number: int
    values: dict[str, Any]
    end: int = 0
    problem: str = ""


@contextlib.contextmanager
def open_input(file: InputFile) -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a file."""
    with open_file(file.url) as raw:
        if file.compression == "gzip":
            with gzip.open(raw) as unpacked:
                yield unpacked  # type: ignore[misc]
        elif file.compression == "zstd":
            import zstandard

            frames = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
            with io.BufferedReader(frames, _BLOCK) as buffered:
                yield buffered
        else:
            # Remote files can't read lines of limited length themselves.
            with io.BufferedReader(raw, _BLOCK) as buffered:  # type: ignore[type-var]
                yield buffered


def skip(stream: IO[bytes], count: int) -> None:
    """Pass over bytes at the beginning of a stream."""
    with contextlib.suppress(OSError, ValueError):
        # Some servers send files from their beginning only.
        stream.seek(count)
        return
    while count and (read := stream.read(min(count, _BLOCK))):
        count -= len(read)


def csv_header(file: InputFile) -> tuple[list[str], int]:
    """The names of a CSV file's columns, and the number of bytes before its first row."""
    with open_input(file) as stream:
        lines = _Lines(stream, 0)
        header = next(_records(lines, file.delimiter), None)
        return (header if isinstance(header, list) else []), lines.end


def text_rows(
    file: InputFile, stream: IO[bytes], start: int, first_row: int, header: Sequence[str]
) -> Iterator[RawRow]:
    """The rows of an uncompressed stream, from an offset at which a row begins.

    Args:
        first_row: the number of the row at `start`.
        header: names of a CSV file's columns.
    """
    lines = _Lines(stream, start)
    if file.format == "csv":
        yield from _csv_rows(lines, file.delimiter, first_row, header)
    else:
        yield from _json_rows(lines, first_row)


def row_ends(file: InputFile, stream: IO[bytes], start: int) -> Iterator[int]:
    """The offset of the end of each row, blank ones included, without a look into JSON."""
    lines = _Lines(stream, start)
    for _ in _records(lines, file.delimiter) if file.format == "csv" else lines:
        yield lines.end


def _json_rows(lines: "_Lines", first_row: int) -> Iterator[RawRow]:
    for number, line in enumerate(lines, first_row):
        if line is None:
            yield RawRow(number, {}, lines.end, f"the line has more than {MAX_LINE:,} bytes")
        elif line.strip():
            yield _json_row(line, number, lines.end)


def _json_row(line: bytes, number: int, end: int) -> RawRow:
    try:
        values = json.loads(line)
    except UnicodeDecodeError:
        return RawRow(number, {}, end, "the line isn't UTF-8")
    except (ValueError, RecursionError) as error:
        return RawRow(number, {}, end, f"the line isn't JSON: {error}")
    if not isinstance(values, dict):
        return RawRow(number, {}, end, "the line isn't a JSON object")
    return RawRow(number, values, end)


def _csv_rows(
    lines: "_Lines", delimiter: str, first_row: int, header: Sequence[str]
) -> Iterator[RawRow]:
    for number, record in enumerate(_records(lines, delimiter), first_row):
        if isinstance(record, str):
            yield RawRow(number, {}, lines.end, record)
        elif len(record) == len(header):
            yield RawRow(number, dict(zip(header, record, strict=True)), lines.end)
        elif record:
            problem = f"the row has {len(record)} fields instead of {len(header)}"
            yield RawRow(number, {}, lines.end, problem)


def _records(lines: "_Lines", delimiter: str) -> Iterator[list[str] | str]:
    """The fields of each record, or what is wrong with it."""
    csv.field_size_limit(min(MAX_LINE, sys.maxsize))
    reader = csv.reader(lines.texts(), delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"the row isn't CSV: {error}"


class _Lines:
    """Lines of a stream with the offset of their end; overlong ones are None, and not kept."""

    def __init__(self, stream: IO[bytes], start: int) -> None:
        self._stream = stream
        self.end = start

    def __iter__(self) -> Iterator[bytes | None]:
        while line := self._stream.readline(MAX_LINE):
            first = self.end == 0
            self.end += len(line)
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                self._skip()
                yield None
            else:
                yield line.removeprefix(_BOM) if first else line

    def _skip(self) -> None:
        while rest := self._stream.readline(MAX_LINE):
            self.end += len(rest)
            if rest.endswith(b"\n"):
                return

    def texts(self) -> Iterator[str]:
        """The lines as text; what isn't UTF-8 becomes surrogates."""
        for line in self:
            # One that is overlong must end a field, and be found too long.
            yield "\0" * (MAX_LINE + 1) if line is None else line.decode("utf-8", "surrogateescape")
