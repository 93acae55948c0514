"""Splits texts into pieces that fit a language model."""

from mesh.nlp.sentences import split_sentences

_BYTES_PER_TOKEN = 3
"""A token has 4 to 5 bytes in English and about 3 in Chinese, so estimates are rarely too low."""


def estimate_tokens(text: str) -> int:
    """The approximate number of a text's tokens; endpoints don't reveal their tokenizer."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def split_chunks(text: str, language: str, tokens: int) -> list[str]:
    """Cut a text between sentences into pieces of at most `tokens` estimated tokens.

    A sentence that is longer is cut too.

    Args:
        language: ISO 639-1 code.
        tokens: at least 2, so that any character fits.
    """
    chunks: list[str] = []
    current = ""
    for span in split_sentences(text, language):
        for piece in _pieces(text[span.start : span.end], tokens):
            joined = f"{current} {piece}" if current else piece
            if current and estimate_tokens(joined) > tokens:
                chunks.append(current)
                current = piece
            else:
                current = joined
    return [*chunks, current] if current else chunks


def _pieces(sentence: str, tokens: int) -> list[str]:
    """The sentence, in pieces if it is too long."""
    encoded = sentence.encode()
    size = tokens * _BYTES_PER_TOKEN
    pieces = []
    start = 0
    while start < len(encoded):
        end = min(start + size, len(encoded))
        # Not inside a character, whose continuation bytes begin with the bits 10.
        while end < len(encoded) and encoded[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        pieces.append(encoded[start:end].decode())
        start = end
    return pieces
