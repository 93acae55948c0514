"""Documents: their text without markup, in blocks, and the way back to the original."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mesh.core.markup import Markup, MarkupChoice
from mesh.core.passes import checkpoint
from mesh.nlp.blocks import BODY, Block
from mesh.nlp.html import HtmlMarkup, Sign, write_html
from mesh.nlp.layout import lay_out
from mesh.nlp.markdown import count_signs, write_markdown
from mesh.nlp.sentences import Span, split_sentences
from mesh.nlp.traced import TracedText, Tracing, composed, without_invisible


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

    docs/nlp.md says what is markup, what is a block and which lines go on. The time is linear.
    """
    checkpoint()
    source = composed(without_invisible(TracedText.of(text)))
    found, draft = _without_markup(source, markup)
    checkpoint()
    # What references stand for, and what was on both sides of markup, can make new characters.
    read, blocks = lay_out(composed(without_invisible(draft)), language)
    return Document(read.text, text, blocks, found, read.starts, read.ends)


def _without_markup(source: TracedText, markup: MarkupChoice) -> tuple[Markup, TracedText]:
    if markup == "plain":
        return "plain", source
    draft = Tracing(source)
    length = len(source.text)
    pieces = [] if markup == "markdown" else list(HtmlMarkup(source.text).pieces(0, length))
    borders = sum(piece.sign is Sign.BORDER for piece in pieces)
    signs = count_signs(source.text) if markup == "auto" else 0
    if markup == "markdown" or (signs and signs >= borders):
        write_markdown(draft)
        return "markdown", draft.written()
    if markup == "auto" and not pieces:
        return "plain", source
    flowing = markup == "html" or any(piece.sign in (Sign.BORDER, Sign.LINE) for piece in pieces)
    write_html(draft, pieces, 0, length, flowing=flowing)
    return "html", draft.written()
