"""The length of texts, as `desired_length` counts it."""

from string import punctuation

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.segmentation import APOSTROPHES, SPACELESS_SCRIPTS
from mesh.nlp.words import word_expression

TOKEN_CHARACTERS = 20
"""Longer strings without white space, such as links, count as one word for each so many."""

_KNOWN_STRINGS = 16_384
_LONGEST_KNOWN = 40
"""In characters. Texts have most of their words in common, so their counts are kept."""

# By a pattern, since the exact boundaries of words take too long for each piece of a text.
_WORD = regex.compile(
    rf"{word_expression(SPACELESS_SCRIPTS)}(?:[{APOSTROPHES}][\p{{L}}\p{{M}}]+)*", regex.VERSION1
)


def count_words(text: str) -> int:
    """The number of words; each character of a script without spaces between words is one.

    A string without white space counts for its words or its characters, whichever gives more.
    """
    checkpoint()
    return sum(map(_COUNTS.__getitem__, text.split()))


def _words_of(token: str) -> int:
    """The words of a string without white space."""
    # Most strings are a word of ASCII's letters, with marks around it.
    if token.isascii() and token.strip(punctuation).isalnum():
        return max(1, len(token) // TOKEN_CHARACTERS)
    return max(len(_WORD.findall(token)), len(token) // TOKEN_CHARACTERS)


class _Counts(dict[str, int]):
    """The words of strings without white space; what isn't too long is counted once."""

    def __missing__(self, token: str) -> int:
        count = _words_of(token)
        if len(token) <= _LONGEST_KNOWN:
            if len(self) >= _KNOWN_STRINGS:
                self.clear()
            self[token] = count
        return count


_COUNTS = _Counts()
