"""Splits documents into sentences, but keeps quotations of several sentences whole."""

from collections.abc import Sequence
from typing import NamedTuple

from mesh.nlp.blocks import Block, BlockKind
from mesh.nlp.document import Document
from mesh.nlp.quotations import BRACKETS, quotations
from mesh.nlp.sentences import Span

LONGEST_QUOTATION = 1_000
"""In characters. A mark not closed within this distance and block opens no quotation."""


class Passage(NamedTuple):
    """A sentence, or several with one quotation, or other text of one block.

    Attributes:
        kind: of its block.
        alone: whether it is all of its block.
    """

    text: str
    kind: BlockKind
    alone: bool


def readable_blocks(document: Document) -> list[Block]:
    """The blocks that a summary draws on: the body, or else all but code; those with letters."""
    blocks = document.body or [block for block in document.blocks if block.kind != BlockKind.CODE]
    return [block for block in blocks if _has_letter(document.text[block.start : block.end])]


def split_passages(document: Document, language: str, blocks: Sequence[Block]) -> list[Passage]:
    """The sentences of the blocks, with whole quotations; those without a letter are left out.

    Args:
        language: ISO 639-1 code.
        blocks: of the document, in order.
    """
    sentences = document.sentences(language, blocks)
    found: list[Passage] = []
    first = 0
    for block in blocks:
        last = first
        while last < len(sentences) and sentences[last].end <= block.end:
            last += 1
        spans = _join_quotations(document.text, sentences[first:last], block)
        for start, end in spans:
            if _has_letter(text := document.text[start:end]):
                found.append(Passage(" ".join(text.split()), block.kind, len(spans) == 1))
        first = last
    return found


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _join_quotations(text: str, sentences: Sequence[Span], block: Block) -> list[Span]:
    """The sentences of a block; those with the same quotation are one."""
    if len(sentences) < 2:
        return list(sentences)
    found = iter(_quotations(text, block))
    quotation = next(found, None)
    joined: list[Span] = []
    for sentence in sentences:
        while quotation and quotation.end <= sentence.start:
            quotation = next(found, None)
        if joined and quotation and quotation.start < joined[-1].end < quotation.end:
            joined[-1] = Span(joined[-1].start, sentence.end)
        else:
            joined.append(sentence)
    return joined


def _quotations(text: str, block: Block) -> list[Span]:
    """The outermost quotations of a block, with their marks."""
    return [
        Span(block.start + each.start, block.start + each.end)
        for each in quotations(text[block.start : block.end], LONGEST_QUOTATION)
        if each.mark not in BRACKETS
    ]
