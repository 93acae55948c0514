"""Reading documents: the blocks of a text, made of its lines."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from mesh.core.passes import checkpoint
from mesh.nlp import mail, pages
from mesh.nlp.blocks import BLOCK_BREAK, Block, BlockKind
from mesh.nlp.hyphens import CUTS, HYPHENS, joins, suspends
from mesh.nlp.lines import BORDERS, cells, is_rule, list_marks, quote_mark, split_lines
from mesh.nlp.traced import TracedText, Tracing
from mesh.nlp.wrapping import TextLine, is_repeated_hyphen, is_wrapped_anywhere, joined_lines

_RUN = re.compile(r"\S+")
_SPACED_RUN = re.compile(r"\S+(?: \S+)*")
_WORD = re.compile(rf"[^\W_]+(?:[{HYPHENS}'\u2019][^\W_]+)*")
_NO_LETTER = re.compile(r"^[\W_]+")


class _Part(NamedTuple):
    """A part of a block: `text[start:end]`.

    Args:
        glue: what stands between it and the part before; None begins a block.
    """

    start: int
    end: int
    kind: BlockKind
    glue: str | None


def lay_out(draft: TracedText, language: str) -> tuple[TracedText, tuple[Block, ...]]:
    """The text of a draft in its blocks: between them an empty line, in them single spaces.

    Args:
        draft: its text has line breaks, and `mesh.nlp.lines.BORDERS` where markup ends a block.
        language: ISO 639-1 code.
    """
    tracing = Tracing(draft)
    begun: list[tuple[int, BlockKind]] = []
    before = 0
    for part in _Layout(draft.text, language).parts():
        checkpoint()
        if part.glue is None:
            if begun:
                tracing.separate(BLOCK_BREAK, before, part.start)
            begun.append((len(tracing), part.kind))
        elif part.glue:
            tracing.separate(part.glue, before, part.start)
        _write(tracing, part)
        before = part.end
    ends = [start - len(BLOCK_BREAK) for start, _ in begun[1:]] + [len(tracing)]
    blocks = [Block(start, end, kind) for (start, kind), end in zip(begun, ends, strict=False)]
    return tracing.written(), tuple(blocks)


def _write(tracing: Tracing, part: _Part) -> None:
    """Append a part with single spaces."""
    before = part.start
    # Where nothing was taken out, a single space stands for itself.
    run = _SPACED_RUN if tracing.source.is_original else _RUN
    for match in run.finditer(tracing.source.text, part.start, part.end):
        if match.start() > before:
            tracing.separate(" ", before, match.start())
        tracing.keep(*match.span())
        before = match.end()


class _Layout:
    def __init__(self, text: str, language: str) -> None:
        self._text = text
        self._language = language
        self._lines = split_lines(text)
        contents = [text[line.start : line.end] for line in self._lines]
        # Code is left as it is.
        prose = [
            "" if line.kind is BlockKind.CODE else content
            for line, content in zip(self._lines, contents, strict=True)
        ]
        raw = [line.raw for line in self._lines]
        is_marked_up = any(border in text for border in BORDERS.values())
        self._furniture = set() if is_marked_up else pages.furniture(raw)
        checkpoint()
        self._mail = mail.kinds(raw)
        checkpoint()
        self._quotes = list(map(quote_mark, prose))
        self._marks = list_marks(
            [line[len(quote) :] for line, quote in zip(prose, self._quotes, strict=True)]
        )
        self._cells = cells(
            [
                line[len(quote) + self._marks.get(number, 0) :]
                for number, (line, quote) in enumerate(zip(prose, self._quotes, strict=True))
            ]
        )
        is_quoting = any(self._quotes)
        # The numbers of the lines that are read.
        self._read = [
            number
            for number, content in enumerate(contents)
            if content and number not in self._furniture and not is_rule(content)
            # An empty line of a quotation.
            and not (is_quoting and not content.strip("> "))
        ]

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._text.lower()))

    def parts(self) -> Iterator[_Part]:
        joined = joined_lines(self._text_lines(), self._language)
        glue: str | None = None
        for position, number in enumerate(self._read):
            start, end = self._start(number), self._lines[number].end
            kind = self._kind(number)
            if number in self._cells:
                for first, last in self._cells[number]:
                    yield _Part(start + first, start + last, kind, None)
                continue
            following = None
            if position + 1 in joined:
                after = self._read[position + 1]
                end, following = self._joint(
                    start, end, self._text[self._start(after) : self._lines[after].end]
                )
            yield _Part(start, end, kind, glue)
            glue = following

    def _start(self, number: int) -> int:
        """The beginning of a line without the marks before it."""
        return self._lines[number].start + len(self._quotes[number]) + self._marks.get(number, 0)

    def _kind(self, number: int) -> BlockKind:
        kind = self._lines[number].kind
        if kind is not BlockKind.PARAGRAPH:
            return kind
        if number in self._mail:
            return self._mail[number]
        if self._quotes[number]:
            return BlockKind.QUOTED
        if number in self._cells:
            return BlockKind.CELL
        return BlockKind.ITEM if number in self._marks else kind

    def _text_lines(self) -> list[TextLine]:
        lines: list[TextLine] = []
        run = 0
        before = -1
        for number in self._read:
            checkpoint()
            line = self._lines[number]
            start = self._start(number)
            page = before >= 0 and self._new_page(before, number)
            run += number - before > 1 and not page
            lines.append(
                TextLine(
                    self._text[start : line.end],
                    line.indent + start - line.start,
                    run,
                    begins=before < 0 or self._begins(before, number),
                    is_item=number in self._marks,
                    new_page=page,
                )
            )
            before = number
        return lines

    def _begins(self, before: int, number: int) -> bool:
        """Whether a line begins a block, whatever its length."""
        kind = self._mail.get(number)
        return (
            number in self._marks
            or before in self._cells
            or number in self._cells
            or kind is not self._mail.get(before)
            or kind in (BlockKind.MAIL_HEADER, BlockKind.GREETING)
            or self._quotes[number].count(">") != self._quotes[before].count(">")
        )

    def _new_page(self, before: int, number: int) -> bool:
        """Whether a page ends between two lines that are read."""
        between = range(before + 1, number + 1)
        return any(
            other in self._furniture or self._lines[other].raw.startswith("\f") for other in between
        )

    def _joint(self, start: int, end: int, after: str) -> tuple[int, str]:
        """The end of a line that goes on in another one, and what stands between the two."""
        line = self._text[start:end]
        hyphen, following = line[-1], _WORD.match(after)
        if is_repeated_hyphen(line, after):
            return end - 1, ""
        if following and hyphen in HYPHENS + CUTS and line[-2:-1].isalnum():
            word = _NO_LETTER.sub("", line.rsplit(None, 1)[-1][:-1])
            if hyphen in CUTS or joins(word, following[0], self._language, self._words):
                return end - 1, ""
            return end, " " if suspends(following[0], self._language) else ""
        return end, "" if is_wrapped_anywhere(line[-1]) and is_wrapped_anywhere(after[0]) else " "
