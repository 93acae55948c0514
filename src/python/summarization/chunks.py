"""Splits texts into pieces that fit a language model."""

from collections.abc import Iterator, Sequence

from mesh.nlp.blocks import BLOCK_BREAK
from mesh.nlp.sentences import split_sentences

_BYTES_PER_TOKEN = 3
"""A token has 4 to 5 bytes in English and about 3 in Chinese, so estimates are rarely too low."""


def estimate_tokens(text: str) -> int:
    """The approximate number of a text's tokens; endpoints don't reveal their tokenizer."""
    return -(-_size(text) // _BYTES_PER_TOKEN)


def split_chunks(blocks: Sequence[str], language: str, tokens: int) -> list[str]:
    """Join blocks of text, and cut them between sentences, to at most `tokens` estimated tokens.

    A sentence that is longer is cut too.

    Args:
        language: ISO 639-1 code.
        tokens: at least 2, so that any character fits.
    """
    chunks: list[list[str]] = []
    room = 0
    for before, piece in _pieces(blocks, language, tokens * _BYTES_PER_TOKEN):
        needed = _size(before) + _size(piece)
        if chunks and needed <= room:
            chunks[-1] += (before, piece)
            room -= needed
        else:
            chunks.append([piece])
            room = tokens * _BYTES_PER_TOKEN - _size(piece)
    return ["".join(parts) for parts in chunks]


def _pieces(blocks: Sequence[str], language: str, size: int) -> Iterator[tuple[str, str]]:
    """The sentences, cut to `size` bytes, and what stands before each."""
    for block in blocks:
        before, position = BLOCK_BREAK, 0
        for start, end in split_sentences(block, language):
            before = before if not position else block[position:start]
            for piece in _cut(block[start:end], size):
                yield before, piece
                before = ""
            position = end


def _cut(sentence: str, size: int) -> Iterator[str]:
    """The sentence, in pieces if it is too long."""
    encoded = sentence.encode()
    start = 0
    while start < len(encoded):
        end = min(start + size, len(encoded))
        # Not inside a character, whose continuation bytes begin with the bits 10.
        while end < len(encoded) and encoded[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        yield encoded[start:end].decode()
        start = end


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
