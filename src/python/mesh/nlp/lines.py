"""Reading documents: the lines of a text, and what stands at their beginning."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mesh.core.passes import checkpoint
from mesh.nlp.blocks import BlockKind

BORDERS = {
    BlockKind.PARAGRAPH: "\ufdd0",
    BlockKind.HEADING: "\ufdd1",
    BlockKind.ITEM: "\ufdd2",
    BlockKind.CELL: "\ufdd3",
    BlockKind.CODE: "\ufdd4",
}
"""Noncharacters that stand in a text where markup ends a block, by the kind of what follows."""

_KIND_OF = {border: kind for kind, border in BORDERS.items()}
# A set comes first, which is searched for faster than alternatives.
_BREAK = re.compile(r"[\n-\r\x1c-\x1e\x85\u2028\u2029\ufdd0-\ufdd4](?:(?<=\r)\n)?")
_TAB_WIDTH = 8
_SHORT = 30
"""Columns of a line that isn't wrapped."""

_SYMBOL = r"[-*+\u2022\u2023\u2043\u2219\u25aa-\u25ab\u25b8\u25cf\u25cb\u25e6\u2192\u2713\u2714\u2794\xb7\u2013\u2014]"
_MARK = re.compile(
    rf"(?:(?P<symbol>{_SYMBOL})\s+|(?P<circled>[\u2460-\u2473])\s*"
    r"|(?P<open>\()?(?:(?P<number>\d{1,3})|(?P<letter>[a-zA-Z]))(?:(?P<close>[.)])\s+|(?P<comma>\u3001)\s*))(?=\S)"
)
_TABBED = re.compile(r"[^\s](?:[^\t]*[^\s])?")
_CELL = re.compile(r"\S+(?:[^\S\t]{1,2}\S+)*")
_QUOTE = re.compile(r"(?:>[^\S\n]*)+(?=\S)")
_RULE = re.compile(r"[-=_*~#+|\s]{3,}")


class Line(NamedTuple):
    """A line of a text: `text[start:end]`, without the white space around it.

    Args:
        raw: its characters with the white space around them, after a form feed if a page begins
            with it.
        start: its first character.
        end: the character after its last one.
        kind: of the block that it is in, as far as markup says it.
    """

    raw: str
    start: int
    end: int
    kind: BlockKind

    @property
    def indent(self) -> int:
        """The columns of white space before it."""
        before = self.raw[: len(self.raw) - len(self.raw.lstrip())]
        return len(before.lstrip("\f").expandtabs(_TAB_WIDTH))


def split_lines(text: str) -> list[Line]:
    """The lines of a text; where markup ends a block, an empty line stands between."""
    lines: list[Line] = []
    kind = BlockKind.PARAGRAPH
    position = 0
    page = ""
    for found in _BREAK.finditer(text):
        checkpoint()
        lines.append(_line(text, position, found.start(), page, kind))
        position = found.end()
        page = found[0] if found[0] == "\f" else ""
        if found[0] in _KIND_OF:
            kind = _KIND_OF[found[0]]
            lines.append(Line("", position, position, kind))
    lines.append(_line(text, position, len(text), page, kind))
    return lines


def _line(text: str, start: int, end: int, page: str, kind: BlockKind) -> Line:
    raw = text[start:end]
    first = start + len(raw) - len(raw.lstrip())
    return Line(page + raw, first, first + len(raw.strip()), kind)


def cells(lines: Sequence[str]) -> dict[int, list[tuple[int, int]]]:
    """The spans of the cells of the lines that have several.

    Tabs part cells, and so do three spaces, where the line before or after has them, too.

    Args:
        lines: without white space around them.
    """
    gaps = ["\t" in line or "   " in line for line in lines]
    found = {}
    for number, line in enumerate(lines):
        spaced = gaps[number] and any(
            gaps[max(number - 1, 0) : number] + gaps[number + 1 : number + 2]
        )
        if spaced or "\t" in line:
            found[number] = [
                match.span() for match in (_CELL if spaced else _TABBED).finditer(line)
            ]
    return found


def quote_mark(line: str) -> str:
    """The `>` at the beginning of a quoted line, with the white space after them."""
    found = _QUOTE.match(line)
    return found[0] if found else ""


def is_rule(line: str) -> bool:
    """Whether a line is drawn, such as "-----", "* * *" or "---+---"."""
    return _RULE.fullmatch(line) is not None


def list_marks(lines: Sequence[str]) -> dict[int, int]:
    """The lines that begin with the mark of a list, and the lengths of the marks.

    A symbol is a mark if the line before it is empty or short, or if another line begins with it,
    and a number if the list goes on. So neither a dash nor a day at the beginning of a wrapped line
    is one.

    Args:
        lines: without white space around them.
    """
    found = {
        number: match
        for number, line in enumerate(lines)
        if (match := _MARK.match(line)) is not None
    }
    symbols = Counter(_symbol(match) for match in found.values())
    marks = {}
    numbered = []
    for number, match in found.items():
        if symbol := _symbol(match):
            before = lines[number - 1] if number else ""
            is_wrapped = len(before) > _SHORT and not before.endswith(":")
            if symbols[symbol] > 1 or not is_wrapped:
                marks[number] = match.end()
        # "A. Lee" is a name.
        elif match["number"] or match["close"] == ")" or match["letter"].islower():
            numbered.append(number)
    for position, number in enumerate(numbered):
        match = found[number]
        style, value = _order(match)
        around = [_order(found[other]) for other in numbered[max(position - 1, 0) : position + 2]]
        if (style, value - 1) in around[:1] or (style, value + 1) in around[-1:]:
            marks[number] = match.end()
    return marks


def _symbol(match: re.Match[str]) -> str:
    """The symbol of a mark, one for all numbers in circles; "" for other numbers and letters."""
    return match["symbol"] or match["circled"] and "\u2460" or ""


def _order(match: re.Match[str]) -> tuple[str, int]:
    """The style of a number's or a letter's mark, and its place in the list."""
    style = f"{match['open'] or ''}{match['close'] or match['comma']}"
    if match["number"]:
        return f"1{style}", int(match["number"])
    return f"a{style}", ord(match["letter"].lower())
