"""Files with a token on each line and its tag in one of two to ten columns, as at CoNLL.

Tags are IOB1, IOB2, IOBES or BILOU. A sentence ends at an empty line and at `-DOCSTART-`.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from mesh.core.errors import MeshError
from mesh.data.raw_row import RawRow
from mesh.data.tagged_tokens import TAG, Token, tagged_text

_SAMPLE_LINES = 5_000
_SHOWN_LINES = 5
_MAX_COLUMNS = 10
_DOCUMENT = "-DOCSTART-"
# The fraction of its cells from which a column is one of tags; the others are mistakes.
_TAGS = 0.6
# Phrases instead of names: the labels of chunk columns, in English and German files.
_CHUNKS = frozenset("ADJP ADVP AP CONJP INTJ LST NC NP NX PC PP PRT PX SBAR UCP VC VP VX".split())
# The number of a token, of several tokens that are written as one, or of one that isn't written.
_NUMBER = re.compile(r"[0-9]+(?P<other>[-.][0-9]+)?")
# The fraction of its cells from which a column is one of numbers, or of parts of speech.
_MOSTLY = 0.9
_PART_OF_SPEECH = re.compile(r"[A-Z][A-Z$]{0,5}|[^\w\s]+|_")
_NAMES_TOKEN = ("token", "form", "word", "text")
_NAMES_TAG = ("ner", "ner_tag", "tag", "label")


@dataclass(frozen=True)
class Columns:
    """Where a file's lines have what counts.

    Args:
        tabs: whether tabs separate the columns; otherwise spaces do, where a line has no tab.
        count: the number of columns.
        token: the token's column, from 0.
        tag: the tag's.
        number: whether the first column counts the tokens.
        header: whether the first line names the columns.
    """

    tabs: bool
    count: int
    token: int
    tag: int
    number: bool
    header: bool = False

    def __str__(self) -> str:
        return (
            f"tokens from column {self.token + 1}, tags from column {self.tag + 1} of {self.count}"
        )


def read_conll(file: TextIO, names: Sequence[str] = ()) -> Iterator[RawRow]:
    """Yield a row for each sentence: the text of its tokens, and its entities.

    In a file with `SpaceAfter=No` in its last column, as CoNLL-U has it, no space follows there.

    Args:
        names: of the columns, with `token` and `tag` among them; by default they are found by what
            they hold.

    Raises:
        MeshError: no column holds tags, or several do; the message shows the first lines.
    """
    sample = list(itertools.islice(file, _SAMPLE_LINES))
    if not any(_is_content(line) for line in sample):
        return
    header = () if names else _header(sample)
    columns = _named(names or header, sample) if names or header else _found(sample)
    columns = replace(columns, header=bool(header))
    yield from _read(itertools.chain(sample, file), columns)


def _read(lines: Iterable[str], columns: Columns) -> Iterator[RawRow]:
    block: list[Token] = []
    first, problem = 1, None
    is_header = columns.header
    for number, line in enumerate(itertools.chain(lines, [""]), start=1):
        content = line.rstrip("\r\n")
        cells = _cells(content, columns.tabs, columns.count)
        if not content.strip() or content.startswith(_DOCUMENT):
            if problem:
                yield problem
            elif block:
                yield RawRow(first, tagged_text(block))
            block, problem = [], None
        elif is_header:
            is_header = False
        elif problem or _is_comment(cells, columns):
            continue
        elif (token := _token(cells, columns)) is None:
            problem = RawRow(number, problem=_problem(content, cells, columns))
        elif token.text:
            first = first if block else number
            block.append(token)


def _token(cells: Sequence[str], columns: Columns) -> Token | None:
    """The token of a line; without text if it stands for others, or None if it is malformed."""
    if len(cells) != columns.count:
        return None
    token, tag = cells[columns.token], cells[columns.tag]
    if columns.number and (match := _NUMBER.fullmatch(cells[0])) and match["other"]:
        return Token("", "O", space_after=True)
    if not token or not TAG.fullmatch(tag):
        return None
    return Token(token, tag, "SpaceAfter=No" not in cells[-1].split("|"))


def _problem(line: str, cells: Sequence[str], columns: Columns) -> str:
    if len(cells) != columns.count:
        return f"{len(cells)} columns instead of {columns.count}: {line!r}"
    return f"not a token with a tag in column {columns.tag + 1}: {line!r}"


def _cells(line: str, tabs: bool, count: int = 1) -> list[str]:
    """The cells of a line, without empty ones after the first `count`.

    Other white space than the separator is part of them.
    """
    if not tabs and "\t" not in line:
        return re.split(" +", line.strip(" "))
    cells = [cell.strip(" ") for cell in line.split("\t")]
    while len(cells) > count and not cells[-1]:
        cells.pop()
    return cells


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(_DOCUMENT)


def _header(sample: Sequence[str]) -> Sequence[str]:
    """The names of the columns, if the first line has those of the token's and the tag's."""
    first = next(line for line in sample if _is_content(line)).rstrip("\r\n").lower()
    cells = [cell.rstrip("s") for cell in _cells(first, tabs="\t" in first)]
    has_names = any(name in cells for name in _NAMES_TOKEN) and any(
        name in cells for name in _NAMES_TAG
    )
    return cells if has_names and not first.startswith("#") else ()


def _is_comment(cells: Sequence[str], columns: Columns) -> bool:
    """Whether a line is a comment, and not a token that begins with `#`."""
    if not cells[0].startswith("#"):
        return False
    return len(cells) != columns.count or not TAG.fullmatch(cells[columns.tag])


def _table(sample: Sequence[str]) -> tuple[bool, int, list[list[list[str]]]]:
    """Whether tabs separate the columns, how many there are, and the cells of each sentence."""
    content = [line.rstrip("\r\n") for line in sample]
    plain = [line for line in content if _is_content(line) and not line.startswith("#")]
    tabs = 2 * sum("\t" in line for line in plain) >= max(len(plain), 1)
    widths = [len(_cells(line, tabs)) for line in plain]
    count = max(set(widths), key=widths.count) if widths else 0
    sentences: list[list[list[str]]] = [[]]
    for line in content:
        cells = _cells(line, tabs, count)
        if not _is_content(line):
            sentences.append([])
        elif len(cells) == count and not line.startswith("#"):
            sentences[-1].append(cells)
    return tabs, count, [sentence for sentence in sentences if sentence]


def _found(sample: Sequence[str]) -> Columns:
    tabs, count, sentences = _table(sample)
    rows = [cells for sentence in sentences for cells in sentence]
    tags = [
        column
        for column in range(count)
        if sum(bool(TAG.fullmatch(cells[column])) for cells in rows) >= _TAGS * len(rows)
    ]
    if not tags or len(tags) == count or count > _MAX_COLUMNS:
        raise _refused("has no column of tags such as B-PER and O, beside one of tokens", sample)
    others = [column for column in range(count) if column not in tags]
    number = others[0] == 0 and len(others) > 1 and _is_mostly(_NUMBER, rows, 0)
    tag = _best(tags, rows, number, sample)
    return Columns(tabs, count, _token_column(others, sentences, sample), tag, number)


def _token_column(
    others: Sequence[int], sentences: Sequence[Sequence[Sequence[str]]], sample: Sequence[str]
) -> int:
    """The first column that may hold tokens: not numbers, the sentence's name or parts of speech."""
    rows = [cells for sentence in sentences for cells in sentence]
    found = [
        column
        for column in others
        if len(others) == 1
        or not (_is_mostly(_NUMBER, rows, column) or _is_constant(sentences, column))
    ]
    if not found:
        raise _refused("has no column of tokens, beside one of tags", sample)
    distinct = {column: len({cells[column] for cells in rows}) for column in found}
    words = [
        column
        for column in found
        if not _is_mostly(_PART_OF_SPEECH, rows, column)
        or distinct[column] == max(distinct.values())
    ]
    return (words or found)[0]


def _is_mostly(form: re.Pattern[str], rows: Sequence[Sequence[str]], column: int) -> bool:
    return sum(bool(form.fullmatch(cells[column])) for cells in rows) >= _MOSTLY * len(rows)


def _is_constant(sentences: Sequence[Sequence[Sequence[str]]], column: int) -> bool:
    """Whether a column has one value in each sentence, as that of the sentence's name has."""
    longer = [sentence for sentence in sentences if len(sentence) > 1]
    return bool(longer) and all(
        len({cells[column] for cells in sentence}) == 1 for sentence in longer
    )


def _best(
    tags: Sequence[int], rows: Sequence[Sequence[str]], number: bool, sample: Sequence[str]
) -> int:
    """The column of names among those of tags: not of phrases, and rather one with any name."""
    labels = {column: {cells[column][2:] for cells in rows} - {""} for column in tags}
    names = [column for column in tags if labels[column] and not labels[column] <= _CHUNKS]
    found = names or [column for column in tags if not labels[column]] or list(tags)
    # In a file that counts its tokens, names within names follow the outer ones.
    if len(found) > 1 and names and not number:
        numbers = " and ".join(str(column + 1) for column in found)
        raise _refused(f"has tags in the columns {numbers}", sample)
    return found[0] if number else found[-1]


def _named(names: Sequence[str], sample: Sequence[str]) -> Columns:
    lower = [name.lower() for name in names]
    token = next((lower.index(name) for name in _NAMES_TOKEN if name in lower), None)
    tag = next((lower.index(name) for name in _NAMES_TAG if name in lower), None)
    if token is None or tag is None:
        raise _refused(f"has no columns token and tag in INGEST_COLUMNS={list(names)}", sample)
    tabs, _, _ = _table(sample)
    return Columns(tabs, len(names), token, tag, number="id" in lower[:1])


def _refused(why: str, sample: Sequence[str]) -> MeshError:
    lines = [line.rstrip("\r\n") for line in sample if line.strip()][:_SHOWN_LINES]
    shown = "\n  ".join(repr(line[:200])[1:-1] for line in lines)
    return MeshError(
        f"The file {why}. Name its columns, such as "
        f'INGEST_COLUMNS=\'["id", "token", "tag"]\'. Its first lines:\n  {shown}'
    )
