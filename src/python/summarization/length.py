"""The length of texts, as `desired_length` counts it."""

from mesh.nlp.segmentation import is_spaceless
from mesh.nlp.words import words

TOKEN_CHARACTERS = 20
"""Longer strings without white space, such as links, count as one word for each so many."""


def count_words(text: str) -> int:
    """The number of words; each character of a script without spaces between words is one.

    A string without white space counts for its words or its characters, whichever gives more.
    """
    return sum(max(_words(token), len(token) // TOKEN_CHARACTERS) for token in text.split())


def _words(token: str) -> int:
    return sum(len(word) if is_spaceless(word) else 1 for word in words(token))
