"""A document as it is read: text without markup, in blocks, and the way back to the original."""

import html
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.entities import html5

from mesh.core.markup import Markup, MarkupChoice
from mesh.nlp.blocks import BLOCK_BREAK, BODY, Block, BlockKind
from mesh.nlp.sentences import Span, split_sentences

_PARAGRAPHS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li link main menu meta "
    "nav ol optgroup option p pre search section summary table tbody tfoot thead title tr ul".split()
)
_GAPS = frozenset(
    "applet area audio base button canvas col colgroup embed iframe img input map meter object param picture "
    "progress select source svg td textarea th track video".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data datalist del dfn em font i ins kbd label mark math noframes "
    "output q rp rt ruby s samp slot small span strike strong sub sup time tt u var wbr".split()
)
_UNSEEN = frozenset(("noscript", "script", "style", "template"))
_ELEMENTS = _PARAGRAPHS | _GAPS | _INLINE | _UNSEEN | {"br"}

# Invisible control and format characters, except for the joiners, which change letters and emoji.
_HIDDEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
# No part looks further than the next `<`, so the time is linear, even with unclosed markup.
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    | (?P<hidden>[{_HIDDEN}]+)
    | (?P<reference>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    | (?P<comment><!--)
    | (?P<declaration><[!?][^<>]*+>)
    | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9:]*+)(?:\s(?:[^<>"']|"[^"<]*+"|'[^'<]*+'|["'])*+|/)?+>)
    | (?P<text>[^\s<&{_HIDDEN}]+|[<&])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Document:
    """A document as it is read; `text[i]` stands for `original[starts[i]:ends[i]]`.

    Args:
        text: the text without markup and invisible characters, in NFC. The blocks are separated by
            an empty line; other runs of white space are one space.
        original: the text as it was sent.
        blocks: in order; together they cover all of `text` but the empty lines between them.
        markup: the markup that was taken out.
        starts: for each character of `text`, its start in `original`; never decreasing.
        ends: its end there, exclusive; never decreasing.
    """

    text: str
    original: str
    blocks: tuple[Block, ...]
    markup: Markup
    starts: "array[int]"
    ends: "array[int]"

    @property
    def body(self) -> list[Block]:
        """The blocks of the kinds in `BODY`."""
        return [block for block in self.blocks if block.kind in BODY]

    def sentences(self, language: str, blocks: Sequence[Block] | None = None) -> list[Span]:
        """The spans of the sentences of the blocks, by default of all of them, in order.

        Args:
            language: ISO 639-1 code.
        """
        return [
            Span(block.start + span.start, block.start + span.end)
            for block in (self.blocks if blocks is None else blocks)
            for span in split_sentences(self.text[block.start : block.end], language)
        ]

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text for `text[start:end]`.

        Raises:
            ValueError: the span is empty, or not within the text.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"{start}:{end} isn't a span of a text of {len(self.text)} characters")
        return self.starts[start], self.ends[end - 1]

    def to_text(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of `text` for `original[start:end]`, without white space around it, or None.

        Raises:
            ValueError: the span is empty, or not within the original text.
        """
        if not 0 <= start < end <= len(self.original):
            raise ValueError(
                f"{start}:{end} isn't a span of a text of {len(self.original)} characters"
            )
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        found = self.text[first:last]
        first += len(found) - len(found.lstrip())
        last -= len(found) - len(found.rstrip())
        return (first, last) if first < last else None


def read_document(text: str, markup: MarkupChoice = "auto", language: str = "en") -> Document:
    """Read a document: remove markup and invisible characters, and find its blocks.

    Args:
        markup: of the text; "auto" decides by what the text contains.
        language: ISO 639-1 code; decides which words cut by a hyphen at a line's end are joined.

    Only the elements of HTML count as markup, so "a <b" and "<name@example.org>" stay, and so does
    `&` without a name or `;`. Elements that end a paragraph leave an empty line, as do empty lines
    and two `<br>`. The content of scripts, styles, templates and comments is removed; where their
    end is missing it stays, so that the rest isn't lost.
    """
    builder = _Builder()
    for kind, start, end, value in _scan(text):
        if kind == "text":
            builder.add(value, start, end)
        elif kind != "nothing":
            builder.gap(kind, value, start, end)
    read = "".join(builder.parts)
    blocks = tuple(
        Block(*match.span(), BlockKind.PARAGRAPH)
        for match in re.finditer(r"\S(?:[^\n]|\n(?!\n))*", read)
    )
    return Document(read, text, blocks, "html", builder.starts, builder.ends)


class _Builder:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.starts = array("l")
        self.ends = array("l")
        self._gap: tuple[int, int] | None = None
        self._lines = 0

    def add(self, value: str, start: int, end: int) -> None:
        """Append characters: one for one, or if the lengths differ, all for the whole span."""
        if self._gap and self.parts:
            self._append(BLOCK_BREAK if self._lines > 1 else " ", *self._gap)
        self._gap, self._lines = None, 0
        if len(value) == end - start:
            self.parts.append(value)
            self.starts.extend(range(start, end))
            self.ends.extend(range(start + 1, end + 1))
        else:
            self._append(value, start, end)

    def gap(self, kind: str, value: str, start: int, end: int) -> None:
        """Remember white space, or markup in its place, until more text follows."""
        self._gap = (self._gap[0] if self._gap else start, end)
        if kind == "space":
            self._lines += len(f"{value}.".splitlines()) - 1
        self._lines += {"paragraph": 2, "break": 1}.get(kind, 0)

    def _append(self, value: str, start: int, end: int) -> None:
        self.parts.append(value)
        self.starts.extend([start] * len(value))
        self.ends.extend([end] * len(value))


def _scan(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Yield the kind, the span and the characters of each part of a text."""
    unclosed: set[str] = set()
    position = 0
    while match := _TOKEN.match(text, position):
        start, position = match.span()
        kind, value = match.lastgroup or "", match[0]
        if kind == "reference":
            value = _resolve(value)
            kind = "space" if value.isspace() else "text" if value else "nothing"
        elif kind == "comment":
            end = _end_of_unseen(text, position, "comment", unclosed)
            kind, position = ("nothing", end) if end else ("text", position)
        elif kind in ("declaration", "hidden"):
            kind = "nothing"
        elif match["tag"]:
            name = match["name"].lower()
            kind = _kind_of(name)
            if kind == "text":
                position, value = start + 1, "<"
            elif name in _UNSEEN and not value.startswith("</"):
                position = _end_of_unseen(text, position, name, unclosed) or position
        yield kind, start, position, value


def _kind_of(name: str) -> str:
    """The kind of a tag; names with a prefix are those of word processors."""
    if name in _PARAGRAPHS:
        return "paragraph"
    if name == "br":
        return "break"
    if name in _GAPS:
        return "gap"
    return "nothing" if name in _ELEMENTS or ":" in name else "text"


def _end_of_unseen(text: str, position: int, name: str, unclosed: set[str]) -> int | None:
    """The end of a comment or of an unseen element; a missing end is searched for once."""
    if name in unclosed:
        return None
    pattern = r"-->" if name == "comment" else rf"</{name}[^<>]*>"
    if match := re.compile(pattern, re.IGNORECASE).search(text, position):
        return match.end()
    unclosed.add(name)
    return None


def _resolve(reference: str) -> str:
    """The visible characters of a reference; the reference itself if its name is unknown."""
    if reference[1] != "#" and reference[1:] not in html5:
        return reference
    return re.sub(f"[{_HIDDEN}]", "", html.unescape(reference))
