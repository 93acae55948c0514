"""Reading documents: the markup of HTML, and what it stands for."""

import html
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from html.entities import html5
from typing import NamedTuple

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.blocks import BlockKind
from mesh.nlp.lines import BORDERS
from mesh.nlp.traced import Tracing

_KINDS = {
    BlockKind.HEADING: "caption h1 h2 h3 h4 h5 h6 legend summary title",
    BlockKind.ITEM: "dd dt li option",
    BlockKind.CELL: "td th",
    BlockKind.CODE: "listing plaintext pre xmp",
    BlockKind.PARAGRAPH: (
        "address article aside blockquote body center dialog dir dl fieldset figcaption figure footer form "
        "frame frameset header hgroup hr main menu nav ol p search section select table textarea ul"
    ),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
# They part blocks, and leave the kind of what is in them to the elements around.
_CONTAINERS = frozenset(
    "details div head html link meta optgroup tbody tfoot thead tr colgroup col".split()
)
_BORDERS = _KIND_OF.keys() | _CONTAINERS
_GAPS = frozenset(
    "applet area audio base button canvas embed iframe img input map meter object param picture "
    "progress source svg track video".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data datalist del dfn em font i ins kbd label mark math noframes "
    "output q ruby s samp slot small span strike strong sub sup time tt u var".split()
)
# Those of ruby say how the word before is read, which would tear a word.
_UNSEEN = frozenset("noscript rp rt script style template".split())
_ELEMENTS = _BORDERS | _GAPS | _INLINE | _UNSEEN | {"br", "wbr"}

# Attributes that have no value; without this list, "a<b and c>d" would be a tag.
_BARE = (
    r"allowfullscreen|async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|"
    r"download|formnovalidate|hidden|inert|ismap|itemscope|loop|multiple|muted|nohref|nomodule|"
    r"noresize|noshade|novalidate|nowrap|open|playsinline|readonly|required|reversed|selected|"
    r"(?:aria|data|hx|ng|v|x)-[\w.:-]++"
)
_ATTRIBUTE = (
    rf"""(?:[^\s<>"'=/]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s<>]++)|(?:{_BARE})(?![^\s/>]))"""
)
# No part looks further than the next `<`, so the time is linear, even with unclosed markup.
_MARKUP = regex.compile(
    rf"""
    (?P<reference>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    | (?P<comment><!--)
    | (?P<cdata><!\[CDATA\[)
    | (?P<cdata_end>\]\]>)
    | (?P<declaration><[!?][^<>]++>)
    | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9:._-]*+)(?:(?:[\s/]++|(?<=["'])){_ATTRIBUTE})*+[\s/]*+>)
    """,
    regex.VERBOSE | regex.IGNORECASE,
)


class Sign(Enum):
    """What a piece of markup stands for."""

    NOTHING = auto()
    CHARACTERS = auto()
    SPACE = auto()
    LINE = auto()
    BORDER = auto()


_WRITTEN = {Sign.SPACE: " ", Sign.LINE: "\n"}
_LINE_END = regex.compile(r"[ \t]*+(?:\r\n|[\n\r])[ \t]*+")
_BREAK = regex.compile(r"[\t-\r\x1c-\x1e\x85\u2028\u2029]\s*+")


class Piece(NamedTuple):
    """Markup at `text[start:end]`.

    Args:
        start: its first character.
        end: the character after its last one.
        sign: what it stands for.
        value: the characters that a reference stands for.
        kind: of the block after a border.
    """

    start: int
    end: int
    sign: Sign
    value: str = ""
    kind: BlockKind = BlockKind.PARAGRAPH


class HtmlMarkup:
    """The markup of a text: the elements of HTML, and others that have an end tag."""

    def __init__(self, text: str) -> None:
        self._text = text
        # The end of a CDATA section alone is none.
        self._may_have_markup = "<" in text or "&" in text
        self._kind = BlockKind.PARAGRAPH
        self._in_cdata = False
        # The next end of what is searched for, so that a missing one is searched for once.
        self._ends: dict[str, int] = {}
        self._tags: dict[str, frozenset[str]] = {}

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """The markup within `text[start:end]`, in order; parts of a text are asked for in order."""
        if not self._may_have_markup:
            return
        while match := _MARKUP.search(self._text, start, end):
            checkpoint()
            piece = self._piece(match, end)
            if piece is None:
                start = match.start() + 1
            else:
                yield piece
                start = piece.end

    def _piece(self, match: regex.Match[str], limit: int) -> Piece | None:
        start, end = match.span()
        kind = match.lastgroup
        if kind == "reference":
            return _reference(match)
        if kind == "comment":
            comment_end = self._end_of("-->", end, limit)
            return None if comment_end is None else Piece(start, comment_end, Sign.NOTHING)
        if kind == "cdata":
            self._in_cdata = self._end_of("]]>", end, limit) is not None
            return Piece(start, end, Sign.NOTHING) if self._in_cdata else None
        if kind == "cdata_end":
            was_in_cdata, self._in_cdata = self._in_cdata, False
            return Piece(start, end, Sign.NOTHING) if was_in_cdata else None
        if kind == "declaration":
            return Piece(start, end, Sign.NOTHING)
        return self._tag(match, limit)

    def _tag(self, match: regex.Match[str], limit: int) -> Piece | None:
        start, end = match.span()
        name = match["name"].lower()
        closing = match[0][1] == "/"
        if name in _UNSEEN:
            hidden = None if closing else self._end_of(f"</{name}", end, limit, ">")
            return Piece(start, hidden or end, Sign.NOTHING)
        if name == "br":
            return Piece(start, end, Sign.LINE)
        if name in _BORDERS:
            self._enter(name, closing)
            return Piece(start, end, Sign.BORDER, kind=self._kind)
        if name in _GAPS:
            return Piece(start, end, Sign.SPACE)
        # Names with a prefix are those of word processors.
        if name not in _ELEMENTS and ":" not in name:
            return self._unknown(name, start, end)
        if name in _INLINE and end - start == len(name) + 2 and self._looks_like_text(name, start):
            return None
        return Piece(start, end, Sign.NOTHING)

    def _unknown(self, name: str, start: int, end: int) -> Piece | None:
        """The tag of an unknown element that has both tags; beside another tag it parts data."""
        if name not in self._names("<") or name not in self._names("</"):
            return None
        is_beside_tag = self._text[start - 1 : start] == ">" or self._text[end : end + 1] == "<"
        return Piece(start, end, Sign.SPACE if is_beside_tag else Sign.NOTHING)

    def _enter(self, name: str, closing: bool) -> None:
        kind = _KIND_OF.get(name)
        if kind is None:
            return
        if not closing:
            # A paragraph within an item or a cell is a part of it.
            if name != "p" or self._kind is BlockKind.HEADING:
                self._kind = kind
        elif name != "p":
            self._kind = BlockKind.PARAGRAPH

    def _looks_like_text(self, name: str, start: int) -> bool:
        """Whether a start tag is a part of a text such as "a<b>c", where no end tag is."""
        if not self._text[start - 1 : start].isalnum():
            return False
        return name not in self._names("</")

    def _names(self, opening: str) -> frozenset[str]:
        """The names in the text's start tags or end tags, by what these open with."""
        if opening not in self._tags:
            found = regex.finditer(rf"{opening}([A-Za-z][A-Za-z0-9:._-]*+)", self._text)
            self._tags[opening] = frozenset(match[1].lower() for match in found)
        return self._tags[opening]

    def _end_of(self, mark: str, position: int, limit: int, last: str = "") -> int | None:
        """The position after a mark, or after the `last` character that follows it, or None."""
        found = self._ends.get(mark, 0)
        if found < position and found != -1:
            match = regex.compile(
                regex.escape(mark) + (f"[^<>]*+{last}" if last else ""), regex.I
            ).search(self._text, position)
            found = self._ends[mark] = match.end() if match else -1
        return None if found == -1 or found > limit else found


def _reference(match: regex.Match[str]) -> Piece | None:
    """The characters of a reference, if its name is known."""
    name = match[0][1:]
    if name[0] != "#" and name not in html5:
        return None
    value = html.unescape(match[0])
    if value == "\xad" and (line_end := _LINE_END.match(match.string, match.end())):
        # A soft hyphen there joins the lines.
        return Piece(match.start(), line_end.end(), Sign.NOTHING)
    if value.isspace():
        return Piece(match.start(), match.end(), Sign.SPACE)
    return Piece(match.start(), match.end(), Sign.CHARACTERS, value)


def write_html(
    draft: Tracing, pieces: Iterable[Piece], start: int, end: int, *, flowing: bool
) -> None:
    """Append `draft.source.text[start:end]` without its markup.

    Args:
        pieces: the markup in it.
        flowing: whether a line break is white space, outside of preformatted text.
    """
    position = start
    folded = flowing
    for piece in pieces:
        _write_text(draft, position, piece.start, folded)
        position = piece.end
        if piece.sign is Sign.BORDER:
            draft.mark(BORDERS[piece.kind])
            folded = flowing and piece.kind is not BlockKind.CODE
        elif piece.sign is not Sign.NOTHING:
            draft.put(_WRITTEN.get(piece.sign, piece.value), piece.start, piece.end)
    _write_text(draft, position, end, folded)


def _write_text(draft: Tracing, start: int, end: int, folded: bool) -> None:
    if folded:
        for match in _BREAK.finditer(draft.source.text, start, end):
            draft.keep(start, match.start())
            is_empty_line = len(f"{match[0]}.".splitlines()) > 2
            draft.put("\n\n" if is_empty_line else " ", *match.span())
            start = match.end()
    draft.keep(start, end)
