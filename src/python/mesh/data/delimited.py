"""Tables of text, such as CSV: delimiter and quotes are found out by their first lines, or given."""

import csv
import io
import itertools
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from mesh.core.errors import MeshError
from mesh.data.raw_row import RawRow

logger = logging.getLogger(__name__)

DELIMITERS = (",", ";", "\t", "|")

_MAX_FIELD_CHARACTERS = 10_000_000
_SAMPLE_LINES = 500
# Stands in no text, so a single column may hold any of the others.
_SINGLE_COLUMN = "\x1f"
_SAMPLE_CHARACTERS = 50_000
_DOUBLED = re.compile(r'(?:^|\t)"(?:[^"\t\n]|"")*""(?:[^"\t\n]|"")*"(?=\t|\r?$)', re.MULTILINE)
_LONG_WORD = re.compile(r"(\w{100})\w+")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
# Names the delimiter to spreadsheets.
_EXCEL = re.compile(r'"?sep=(?P<delimiter>.)"?\s*', re.IGNORECASE)
_QUOTED_HEADER = re.compile(r'"[^"]*"(?:(?P<delimiter>[,;\t|])"[^"]*"(?:(?P=delimiter)"[^"]*")*)?')


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Args:
        delimiter: between columns.
        quote: around fields; empty where quotes are part of the text.
        escape: before a quote in a field; empty where it is doubled.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""

    def __str__(self) -> str:
        if self.delimiter == _SINGLE_COLUMN:
            return "a single column"
        quotes = f"quotes {self.quote}" if self.quote else "no quotes"
        return f"delimiter {self.delimiter!r}, {quotes}"


def read_table(file: TextIO, delimiter: str = "", columns: Sequence[str] = ()) -> Iterator[RawRow]:
    """Yield the rows of a table.

    Args:
        delimiter: where it is known.
        columns: their names where the file has no header.

    Raises:
        MeshError: two columns have one name.
    """
    # Not every compressed file can be read from its start again.
    first = list(itertools.islice(file, _SAMPLE_LINES))
    skipped = 0
    if first and (match := _EXCEL.fullmatch(first[0])):
        delimiter, skipped = delimiter or match["delimiter"], 1
        first = first[1:]
    # The detector takes no zeros and no bytes that are no text, which a damaged row may hold.
    sample = _NO_TEXT.sub("?", "".join(first)[:_SAMPLE_CHARACTERS])
    dialect = find_dialect(sample, delimiter)
    if dialect not in (Dialect(","), Dialect("\t", "")):
        logger.info("%s", dialect)
    require_distinct(columns)
    return _rows(_reader(itertools.chain(first, file), dialect), list(columns), skipped)


def check_delimiter(text: str) -> str:
    """The delimiter that a setting names; a tab may be written as `tab` or with a backslash.

    Raises:
        ValueError: it isn't a single character, or one that has another meaning.
    """
    delimiter = "\t" if text.lower() in ("tab", "\\t") else text
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise ValueError(f"{text!r} isn't a delimiter; use one character, such as ; or |, or tab")
    return delimiter


def find_dialect(sample: str, delimiter: str = "") -> Dialect:
    """The dialect of a table, by its first lines.

    Args:
        delimiter: where it is known.
    """
    return _tabbed(sample) if delimiter == "\t" else _detected(sample, delimiter)


def _reader(lines: Iterable[str], dialect: Dialect) -> Any:
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=not dialect.escape,
        escapechar=dialect.escape or None,
        strict=True,
    )


def _tabbed(sample: str) -> Dialect:
    """Quotes are part of the text, unless the table is even only with them, or all is in quotes."""
    plain, quoted = _widths(sample, Dialect("\t", "")), _widths(sample, Dialect("\t"))
    header = sample.partition("\n")[0].strip("\r")
    is_certain = bool(_DOUBLED.search(sample) or _QUOTED_HEADER.fullmatch(header))
    is_quoted = len(quoted) == 1 and (len(plain) > 1 or is_certain)
    return Dialect("\t", '"' if is_quoted else "")


def _widths(sample: str, dialect: Dialect) -> set[int]:
    """The numbers of columns of a sample's rows; none if it isn't written in this dialect."""
    widths: set[int] = set()
    reader = _reader(io.StringIO(sample, newline=""), dialect)
    try:
        widths.update(len(values) for values in reader if values)
    except csv.Error as error:
        # The sample may end within a field.
        if "unexpected end" not in str(error):
            return set()
    return widths


def _detected(sample: str, delimiter: str) -> Dialect:
    from clevercsv.detect import Detector

    header = sample.partition("\n")[0]
    if not delimiter and not any(each in header for each in DELIMITERS):
        return Dialect(_SINGLE_COLUMN)
    if match := _QUOTED_HEADER.fullmatch(header.strip("\r")):
        return Dialect(delimiter or match["delimiter"] or _SINGLE_COLUMN)
    found = Detector().detect(
        # The detector's time is quadratic in the length of a word.
        _LONG_WORD.sub(r"\1", sample),
        delimiters=[delimiter] if delimiter else list(DELIMITERS),
    )
    if found is None:
        return Dialect(delimiter or ",")
    chosen = str(delimiter or found.delimiter or ",")
    if chosen == "\t":
        return _tabbed(sample)
    return Dialect(chosen, str(found.quotechar or '"'), str(found.escapechar or ""))


def _rows(reader: Any, names: list[str], skipped: int) -> Iterator[RawRow]:
    """The rows of a table; empty cells after the last column, as spreadsheets have, don't count.

    Args:
        skipped: the number of lines before the header.
    """
    while True:
        first = skipped + reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(
                first, problem=f"not CSV: {error}", lines=skipped + reader.line_num - first + 1
            )
            continue
        if not values:
            continue
        while names and len(values) > len(names) and not values[-1]:
            values.pop()
        if not names:
            names = [name.strip() for name in values]
            require_distinct(names)
        elif len(values) != len(names):
            yield RawRow(first, problem=f"{len(values)} columns instead of {len(names)}")
        else:
            yield RawRow(first, dict(zip(names, values, strict=True)))


def require_distinct(names: Sequence[str]) -> None:
    """Refuse a table of which two columns have one name.

    Raises:
        MeshError: it names the columns.
    """
    repeated = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if repeated:
        every = [str(at) for at, name in enumerate(names, 1) if name == repeated[0]]
        places = " and ".join(every[:3])
        raise MeshError(
            f"The columns {places} are both called {repeated[0]!r}: give them different names, or "
            "name all columns in INGEST_COLUMNS and remove the header."
        )
