"""Reading documents: the markup of Markdown, and what it stands for."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.blocks import BlockKind
from mesh.nlp.html import HtmlMarkup, write_html
from mesh.nlp.lines import BORDERS
from mesh.nlp.traced import Tracing

_SURROGATES = regex.compile("[\ud800-\udfff]")
# YAML before a document, as generators of sites read it.
_FRONT_MATTER = regex.compile(
    r"---[ \t\r]*+\n(?:(?!(?:---|\.\.\.)[ \t\r]*+$).*+\n)*+(?:---|\.\.\.)[ \t\r]*+$",
    regex.MULTILINE,
)
_CHARACTER = regex.compile(r".")
# What a block of quotation, list or footnote begins with.
_OPENING = regex.compile(
    r"[ \t]*+(?:>|(?:[-+*]|\d{1,9}[.)])(?=\s)|\[\^[^\[\]\n]{1,99}\]:)", regex.MULTILINE
)
_MARK = regex.compile(r"\S")
_DEEPEST = 30
_RULE = r"[ \t]*+(?:(?:\*[ \t]*+)++|(?:-[ \t]*+)++)$"
_DEEP = regex.compile(
    rf"^(?!{_RULE})(?:{_OPENING.pattern}){{{_DEEPEST}}}(?:{_OPENING.pattern})++", regex.MULTILINE
)
"""The parser takes the square of the depth of blocks, so that deeper ones are text."""
# The opening mark of a link's title that isn't closed; the parser looks for its end in all lines.
_OPEN_TITLE = regex.compile(
    r"""(\]\(\s{0,99}+\S{0,500}+\s{1,99}+)"""
    r"""(?!(?:"[^"]{0,500}+"|'[^']{0,500}+'|\([^()]{0,500}+\))\s*+\))["'(]"""
)

_KIND_OF = {
    "Heading": BlockKind.HEADING,
    "Item": BlockKind.ITEM,
    "TableCell": BlockKind.CELL,
    "CodeBlock": BlockKind.CODE,
}
_BLOCKS = _KIND_OF.keys() | {
    "Paragraph",
    "BlockQuote",
    "List",
    "Table",
    "TableHead",
    "TableRow",
    "FootnoteDefinition",
    "HtmlBlock",
}
_UNSEEN = frozenset(("Image",))

# No part looks beyond the next bracket, star or line, so the time is linear.
_SIGN = regex.compile(
    r"""
      (?<![\w\])])!?\[[^\[\]\n]*\]
        \((?:[a-z+]+:|[#./]|[^()\s./]*[./])(?:[^()\s]|\([^()\s]*\))*+(?:[ ]["'][^"'\n()]*["'])?\)
    | (?<![\w*])\*{2,4}(?=[^\s*])[^*\n]*(?<!\s)\*{2,4}(?![\w*])
    # Without a space, it may be a name in source code.
    | (?<!\w)__(?=[^\s_]++[ ])[^_\n]++(?<!\s)__(?!\w)
    | ^[ ]{0,3}(?:```[^`\n]*$|\[[^\[\]\n]+\]:[ ]+<?(?:https?://|mailto:)|[-*+][ ]\[[ xX]\][ ]\S)
    """,
    regex.VERBOSE | regex.MULTILINE,
)
_SIGN_MARKS = ("[", "**", "__", "```")
"""One of them is in each sign."""
_HEADING = regex.compile(r" {0,3}(#{1,6})[ \t]+[^\s#]")
_RULER = regex.compile(r"\|?:?-+:?(?:\|:?-+:?)*+\|?")
_CODE = regex.compile(
    r"(?:(?:import|from|def|class|return|export|function|const|let|var|public|private|package|using"
    r"|select|insert|create|update|set)\b.*|\#include.*|\#!.*|[\w.\[\]\"']+[ ]?[-+*/|:]?=(?!=).*"
    r"|\w[\w.]*\([^()]*\)|.*[;{}])",
    regex.IGNORECASE,
)


def count_signs(text: str) -> int:
    """The number of places in a text that only Markdown explains.

    Headings count before an empty line, before a deeper heading or with nothing else, or from the
    second level on if there are two. Lists, emphasis by single marks and quotations don't count,
    nor does anything in source code.
    """
    is_marked = any(mark in text for mark in _SIGN_MARKS)
    signs = sum(1 for _ in _SIGN.finditer(text)) if is_marked else 0
    if not signs and "#" not in text and "|" not in text:
        return 0
    lines = text.splitlines()
    if "```" not in text and _is_code(lines):
        return 0
    signs += sum(_is_ruler(before, line) for before, line in pairwise(lines))
    levels = [len(heading[1]) if (heading := _HEADING.match(line)) else 0 for line in lines]
    deep = sum(level > 1 for level in levels)
    headings = sum(
        level > 0 and (following > level or not after.strip())
        for level, following, after in zip(levels, levels[1:], lines[1:], strict=False)
    )
    if all(level or not line.strip() for level, line in zip(levels, lines, strict=True)):
        headings = sum(level > 0 for level in levels)
    return signs + max(headings, deep) if signs or headings or deep > 1 else 0


def _is_code(lines: Sequence[str]) -> bool:
    found = (line for line in lines if _CODE.fullmatch(line))
    return next(found, None) is not None and next(found, None) is not None


def _is_ruler(before: str, line: str) -> bool:
    """Whether a line parts the head of a table, which is the line before, from its rows."""
    if "|" not in before or "|" not in line or "-" not in line:
        return False
    return _RULER.fullmatch("".join(line.split())) is not None


def write_markdown(draft: Tracing) -> None:
    """Append the source of a draft without the marks of Markdown, and without those of HTML."""
    from pyromark import Options, events_with_range

    options = (
        Options.ENABLE_TABLES
        | Options.ENABLE_STRIKETHROUGH
        | Options.ENABLE_FOOTNOTES
        | Options.ENABLE_TASKLISTS
        | Options.ENABLE_GFM
    )
    encoded = _readable(draft.source.text)
    place = _places(encoded)
    writer = _Writer(draft, encoded)
    for event, span in events_with_range(encoded, options=options):
        checkpoint()
        writer.write(event, place(span["start"]), place(span["end"]))


def _readable(text: str) -> str:
    """What the parser reads for a text, of the same length, so that its time is linear."""
    # Its own option for front matter searches the whole text at each "---".
    if front := _FRONT_MATTER.match(text):
        text = _CHARACTER.sub(" ", front[0]) + text[front.end() :]
    shallow = _DEEP.sub(_without_depth, _OPEN_TITLE.sub(r"\1x", text))
    read: str = _SURROGATES.sub("?", shallow)
    return read


def _without_depth(match: regex.Match[str]) -> str:
    openings: str = match[0]
    end = list(_OPENING.finditer(openings))[_DEEPEST - 1].end()
    text: str = _MARK.sub("x", openings[end:])
    return openings[:end] + text


def _places(text: str) -> Callable[[int], int]:
    """The position of a character by that of its first byte in UTF-8."""
    if text.isascii():
        return int
    begun = list(accumulate((byte & 0xC0 != 0x80 for byte in text.encode()), initial=0))
    return begun.__getitem__


class _Writer:
    def __init__(self, draft: Tracing, text: str) -> None:
        self._draft = draft
        self._read = text
        self._html = HtmlMarkup(draft.source.text)
        self._kinds = [BlockKind.PARAGRAPH]
        # How many elements are open whose content isn't seen.
        self._unseen = 0

    def write(self, event: object, start: int, end: int) -> None:
        match event:
            case {"Start": tag}:
                self._enter(_name(tag), start, end)
            case {"End": tag}:
                self._leave(_name(tag))
            case _ if self._unseen:
                pass
            case "SoftBreak" | "HardBreak":
                self._draft.put("\n", start, end)
            case {"Text": str(value)} | {"Code": str(value)}:
                self._write_text(value, start, end)
            case {"InlineHtml": _}:
                pieces = self._html.pieces(start, end)
                write_html(self._draft, pieces, start, end, flowing=False)

    def _enter(self, tag: str, start: int, end: int) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self._kinds.append(_KIND_OF.get(tag, self._kinds[-1]))
            self._draft.mark(BORDERS[self._kinds[-1]])
        if tag == "HtmlBlock":
            # Its lines are events too, but markup goes on from one to the next.
            pieces = self._html.pieces(start, end)
            write_html(self._draft, pieces, start, end, flowing=True)

    def _leave(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        if tag in _BLOCKS:
            self._kinds.pop()
            self._draft.mark(BORDERS[self._kinds[-1]])

    def _write_text(self, value: str, start: int, end: int) -> None:
        offset = self._read[start:end].find(value)
        if offset < 0:
            self._draft.put(value, start, end)
        else:
            self._draft.keep(start + offset, start + offset + len(value))


def _name(tag: object) -> str:
    """The name of an event's tag, which has attributes or none."""
    return next(iter(tag)) if isinstance(tag, Mapping) else str(tag)
