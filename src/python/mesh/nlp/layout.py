"""The blocks of a text, made of its lines."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mesh.nlp.blocks import BLOCK_BREAK, Block, BlockKind
from mesh.nlp.lines import Line, is_rule, list_marks, split_lines
from mesh.nlp.traced import TracedText, Tracing
from mesh.nlp.wrapping import (
    TextLine,
    is_spaceless,
    joined_lines,
)

_WORD = re.compile(r"\S+")
_CELL = re.compile(r"[^\t]+")


class _Part(NamedTuple):
    """A part of a block: `text[start:end]`, and whether it goes on with the part before."""

    start: int
    end: int
    kind: BlockKind
    goes_on: bool


def lay_out(draft: TracedText, language: str) -> tuple[TracedText, tuple[Block, ...]]:
    """The text of a draft in its blocks: between them an empty line, in them single spaces.

    Args:
        draft: its text has line breaks, and `mesh.nlp.lines.BORDERS` where markup ends a block.
        language: ISO 639-1 code.
    """
    writer = _Writer(draft, language)
    for part in _parts(draft.text, language):
        writer.add(part)
    return writer.tracing.written(), writer.blocks()


def _parts(text: str, language: str) -> Iterator[_Part]:
    lines = split_lines(text)
    contents = [text[line.start : line.end] for line in lines]
    marks = list_marks(contents)
    used = [number for number, content in enumerate(contents) if content and not is_rule(content)]
    joined = joined_lines(list(_text_lines(lines, contents, used, marks)), language)
    for position, number in enumerate(used):
        line = lines[number]
        start = line.start + marks.get(number, 0)
        kind = line.kind
        if number in marks and kind is BlockKind.PARAGRAPH:
            kind = BlockKind.ITEM
        if "\t" in text[start : line.end] and kind is not BlockKind.CODE:
            for cell in _CELL.finditer(text, start, line.end):
                if not cell[0].isspace():
                    yield _Part(*cell.span(), BlockKind.CELL, False)
        else:
            yield _Part(start, line.end, kind, position in joined)


def _text_lines(
    lines: Sequence[Line], contents: Sequence[str], used: Sequence[int], marks: dict[int, int]
) -> Iterator[TextLine]:
    run = 0
    before = -1
    after_cells = False
    for number in used:
        content = contents[number][marks.get(number, 0) :]
        cells = "\t" in content
        run += number - before > 1
        yield TextLine(
            content,
            lines[number].indent + marks.get(number, 0),
            run,
            number in marks or cells or after_cells,
        )
        before, after_cells = number, cells


class _Writer:
    def __init__(self, draft: TracedText, language: str) -> None:
        self.tracing = Tracing(draft)
        self._draft = draft
        self._language = language
        self._starts: list[tuple[int, BlockKind]] = []
        self._end = 0

    def add(self, part: _Part) -> None:
        start, end = part.start, part.end
        if not part.goes_on:
            if self._starts:
                self.tracing.separate(BLOCK_BREAK, self._end, start)
            self._starts.append((len(self.tracing), part.kind))
            self._add_words(start, end)
        else:
            self._go_on(start, end)

    def _go_on(self, start: int, end: int) -> None:
        text = self._draft.text
        if is_spaceless(text[self._end - 1]) and is_spaceless(text[start]):
            self._add_words(start, end)
        else:
            self.tracing.separate(" ", self._end, start)
            self._add_words(start, end)

    def _add_words(self, start: int, end: int) -> None:
        """Append a line with single spaces."""
        text = self._draft.text
        before = None
        for match in _WORD.finditer(text, start, end):
            if before is not None:
                self.tracing.separate(" ", before, match.start())
            self.tracing.keep(*match.span())
            before = match.end()
        self._end = end

    def blocks(self) -> tuple[Block, ...]:
        ends = [start - len(BLOCK_BREAK) for start, _ in self._starts[1:]] + [len(self.tracing)]
        return tuple(
            Block(start, end, kind) for (start, kind), end in zip(self._starts, ends, strict=False)
        )
