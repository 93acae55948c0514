"""Reading documents: what pages of PDFs leave in a text, such as running heads and numbers."""

# ruff: noqa: RUF001 - the letters and punctuation of other alphabets are meant

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

_PAGE_WORD = (
    r"(?:page|pages|pag|pg|p|seite|s|página|pagina|pàgina|pág|strona|str|strana|sida|sid|side|blz|bladzijde|"
    r"sivu|oldal|sayfa|lapa|orria|стр|страница|с|сторінка|σελίδα|صفحة|صفحه|עמוד|पृष्ठ|trang|halaman)"
)
_OF = r"(?:/|of|von|de|di|van|av|af|sur|su|do|z|из|من|از|\|)"
_PAGE = re.compile(
    rf"(?:{_PAGE_WORD}\.?\s*\d{{1,4}}(?:\s*{_OF}\s*\d{{1,4}})?|\d{{1,4}}\s*(?:\|\s*{_PAGE_WORD}|頁|ページ|页)"
    r"|第\s*\d{1,4}\s*[頁页](?:\s*[/,，]?\s*共\s*\d{1,4}\s*[頁页])?)"
)
_NUMBER = re.compile(
    r"\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?|(?=[ivxlc])c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})"
)
_DASHED = re.compile(r"[-–—]\s?(\d{1,4})\s?[-–—]")
# Nothing else stands in such a line, so dashes, dots and brackets around are a frame.
_FRAME = " \t-–—―·•*|~()[]<>"
_STOPPED = re.compile(r"[.!?…:。！？؟।][\"'”’»)\]]*$")
_TITLE = re.compile(r"[\w\u00a9][^,;{}=<>`@|]*[\w)]")
_STOP = re.compile(r"[.!?…。！？؟।](?:\W|$)")
_SPEECH = re.compile(r"[-–—*•\"'“„«‹>+]")
_APART = re.compile(r"\s*[|·•—–]\s*|\s{2,}|\t")
# Numbers, and Roman ones at the beginning or the end.
_VARYING = re.compile(r"\d+|(?<=\s)[ivxlc]+$|^[ivxlc]+(?=\s)")
_LONGEST_HEAD = 100
_LONGEST_NUMBER = 60
_LONGEST_BORDER = 5


@dataclass
class _Border:
    """A run of lines that may be a head, a foot or a number, and its place in the text."""

    lines: list[int] = field(default_factory=list)
    is_fed: bool = False
    """A form feed is in it."""
    is_inside: bool = False
    """A sentence goes on after it."""
    is_apart: bool = False
    """An empty line is in it."""
    is_edge: bool = False
    """The text begins or ends with it."""


def furniture(lines: Sequence[str]) -> set[int]:
    """The numbers of the lines that are running heads, running feet or page numbers.

    Args:
        lines: of the text, split at line feeds; form feeds, which end a page, stay in their lines.

    A line that is only a page number counts at the border of a page: at a form feed, beside a
    running head, or where a sentence goes on after it. A running head or foot is a line that is the
    same, but for its digits, on three pages, or on two with a form feed. Other lines that repeat
    are text: a refrain, an answer in a dialogue, equal items, rows of a table.
    """
    bare = [line.strip().casefold() for line in lines]
    keys = [_key(line) for line in bare]
    counts = Counter(keys)
    numbered = [_number(line) for line in bare]
    candidate = [
        numbered[i] is not None or (key != "" and counts[key] > 1 and _is_head(line, key))
        for i, (line, key) in enumerate(zip(bare, keys, strict=True))
    ]
    if not any(candidate):
        return set()
    borders = list(_borders(lines, bare, candidate))
    heads = _heads(lines, keys, numbered, borders)
    found = {
        i for border in borders for i in border.lines if keys[i] in heads and numbered[i] is None
    }
    return found | _page_numbers(lines, numbered, borders, found)


def _key(line: str) -> str:
    """A line without what differs from page to page; "" for one that is too long for a head."""
    if len(line) > _LONGEST_HEAD:
        return ""
    return " ".join(_VARYING.sub("#", line).split())


def _is_head(line: str, key: str) -> bool:
    return any(c.isalpha() for c in key) and not _SPEECH.match(line)


def _number(line: str) -> tuple[str, int] | None:
    """Whether a line names its page ("page") or is a bare number ("number"), and the number."""
    if match := _DASHED.fullmatch(line):
        return "page", int(match[1])
    if len(line) > _LONGEST_NUMBER:
        return None
    line = line.strip(_FRAME)
    if _PAGE.fullmatch(line):
        return "page", int(re.findall(r"\d+", line)[0])
    if _NUMBER.fullmatch(line):
        return "number", int(line.split("/")[0].split()[0]) if line[0].isdigit() else _roman(line)
    return None


def _roman(numeral: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[c] for c in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _borders(
    lines: Sequence[str], bare: Sequence[str], candidate: Sequence[bool]
) -> Iterator[_Border]:
    """The runs of candidates, with empty lines between; each form feed begins or ends within one."""
    last = ""
    border = _Border(is_edge=True)
    for i, line in enumerate(lines):
        if candidate[i] and bare[i]:
            border.lines.append(i)
            border.is_fed |= "\f" in line
        elif not bare[i]:
            border.is_fed |= "\f" in line
            border.is_apart = True
        else:
            border.is_fed |= line.lstrip(" \t\r").startswith("\f")
            if border.lines:
                # A number alone could be a cell of a table.
                is_bare = not border.is_apart and bare[border.lines[0]].isdigit()
                border.is_inside = _goes_on(last, line.strip(), 40 if is_bare else 20)
                yield border
            border, last = _Border(is_fed=line.rstrip(" \t\r").endswith("\f")), line.strip()
    border.is_edge = True
    if border.lines:
        yield border


def _goes_on(before: str, after: str, least: int) -> bool:
    """Whether a sentence goes on from a line of a least length, in characters, to another."""
    return (
        len(before) >= least
        and not _STOPPED.search(before)
        and ((after[0].isalpha() and not after[0].isupper()) or before.endswith("-"))
    )


def _heads(
    lines: Sequence[str],
    keys: Sequence[str],
    numbered: Sequence[tuple[str, int] | None],
    borders: Sequence[_Border],
) -> set[str]:
    """The keys of the lines that are heads or feet of pages."""
    places: dict[str, list[tuple[int, _Border]]] = defaultdict(list)
    for border in borders:
        if len(border.lines) <= _LONGEST_BORDER:
            for i in border.lines:
                if numbered[i] is None:
                    places[keys[i]].append((i, border))
    width = _width(lines, borders)
    return {
        key
        for key, found in places.items()
        if len(found) > 1 and _is_running(lines, numbered, found, width)
    }


def _is_running(
    lines: Sequence[str],
    numbered: Sequence[tuple[str, int] | None],
    found: Sequence[tuple[int, _Border]],
    width: float,
) -> bool:
    fed = sum(border.is_fed for _, border in found)
    if fed and sum(border.is_fed or border.is_edge for _, border in found) >= 2:
        return True
    count_inside = sum(border.is_inside for _, border in found)
    texts = [lines[i].strip() for i, _ in found]
    pages = [page for text in texts if (page := _page_in(text))]
    if len(texts) == len(pages) >= 2 and _rises([value for _, value in pages]):
        # Rows of a table follow each other.
        is_apart = width > 0 and len({id(border) for _, border in found}) > 2
        return bool(fed or count_inside or is_apart) or all(kind == "page" for kind, _ in pages)
    known = [number for _, border in found if (number := _first_number(border, numbered))]
    if len(found) >= 3 and len(known) >= len(found) - 1 and _rises(known):
        return True
    if not all(_is_title(text, width) for text in texts):
        return False
    if count_inside == len(found):
        return True
    is_regular = len(found) >= 3 and _is_regular([i for i, _ in found])
    return is_regular and (3 * count_inside >= len(found) or found[0][1].is_edge)


def _is_title(text: str, width: float) -> bool:
    """Whether a line is no part of a paragraph, whose lines have a width in characters."""
    return (
        len(text) <= 0.75 * width and not text[0].islower() and _TITLE.fullmatch(text) is not None
    )


def _page_in(text: str) -> tuple[str, int] | None:
    """The number of the page in a head, set apart from its text."""
    found = (_number(part.strip().casefold()) for part in _APART.split(text))
    return next((number for number in found if number), None)


def _first_number(border: _Border, numbered: Sequence[tuple[str, int] | None]) -> int | None:
    return next((n[1] for i in border.lines if (n := numbered[i]) is not None), None)


def _rises(values: Sequence[int]) -> bool:
    return all(0 < b - a <= 2 for a, b in pairwise(values))


def _is_regular(numbers: Sequence[int]) -> bool:
    """Whether the distances between lines are alike."""
    gaps = [b - a for a, b in pairwise(numbers)]
    return min(gaps) >= 4 and max(gaps) <= 1.3 * min(gaps) + 2


def _width(lines: Sequence[str], borders: Sequence[_Border]) -> float:
    """The usual length of a line in characters, or 0 where the text isn't prose in long lines."""
    left_out = {i for border in borders for i in border.lines}
    read = [line.strip() for i, line in enumerate(lines) if i not in left_out and line.strip()]
    width = median(map(len, read)) if read else 0
    stopped = sum(bool(_STOP.search(line)) for line in read)
    return width if width >= 40 and 8 * stopped >= len(read) else 0


def _page_numbers(
    lines: Sequence[str],
    numbered: Sequence[tuple[str, int] | None],
    borders: Sequence[_Border],
    heads: set[int],
) -> set[int]:
    """The lines that are only the number of their page."""
    found: set[int] = set()
    previous: list[tuple[int, int]] = []
    named: list[tuple[int, int]] = []
    is_clear = False
    for border in borders:
        numbers = [(i, n) for i in border.lines if (n := numbered[i]) is not None]
        # More than the foot of a page and the head of the next is a column of a table.
        if len(numbers) > 2:
            continue
        beside_head = any(i in heads for i in border.lines)
        for i, (kind, value) in numbers:
            certain = border.is_fed or border.is_inside or beside_head
            if certain and (value < 1000 or kind == "page"):
                found.add(i)
            previous.append((i, value))
            if kind == "page":
                named.append((i, value))
                is_clear |= border.is_edge or _is_clear(lines[i])
    if (len(named) > 1 or is_clear) and _rises([value for _, value in named]):
        found |= {i for i, _ in named}
    return found | _in_sequence(previous, found)


def _is_clear(line: str) -> bool:
    """Whether a line names its page and isn't the end of "see page 12"."""
    if _DASHED.fullmatch(line.strip()):
        return True
    line = line.strip().strip(_FRAME)
    return len(re.findall(r"\d+", line)) == 2 or (line[0].isupper() and len(line.split()[0]) > 3)


def _in_sequence(numbers: Sequence[tuple[int, int]], certain: set[int]) -> set[int]:
    """The numbers that count on from, or up to, one that is certain."""
    found: set[int] = set()
    for run in (numbers, list(reversed(numbers))):
        for (i, value), (j, following) in pairwise(run):
            if (i in certain or i in found) and abs(following - value) == 1:
                found.add(j)
    return found
