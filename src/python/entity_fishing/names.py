"""The form in which names are compared, and their occurrences in a text."""

import unicodedata
from collections.abc import Iterator

import regex

from mesh.nlp.words import run_characters

# Marks of Latin, Greek and Cyrillic letters; in other scripts, marks make different letters.
_MARKS = regex.compile("[\u0300-\u036f]")
_EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$")
_SPACE = regex.compile(r"\s+")
SPACELESS_SCRIPTS = ("Han", "Hiragana", "Katakana")
"""Scripts without spaces: each of their characters may begin or end a name."""
_WORD_CHARACTER = regex.compile(run_characters(SPACELESS_SCRIPTS), regex.VERSION1)


def name_key(name: str) -> str:
    """The form in which names are compared: without case, accents, and punctuation at the ends.

    Empty for a name without letters or digits.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    plain = unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
    key: str = _EDGES.sub("", _SPACE.sub(" ", plain))
    return key


def occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    """The spans in which a text contains exactly this name, as whole words."""
    start = text.find(name) if name else -1
    while start >= 0:
        end = start + len(name)
        if _is_edge(text, start) and _is_edge(text, end):
            yield start, end
            start = text.find(name, end)
        else:
            start = text.find(name, start + 1)


def _is_edge(text: str, position: int) -> bool:
    """Whether a word may begin or end there."""
    around = text[max(position - 1, 0) : position + 1]
    return len(around) < 2 or position == 0 or not all(map(_WORD_CHARACTER.match, around))
