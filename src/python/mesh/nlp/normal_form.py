"""Unicode's normal forms of any text, in linear time."""

import unicodedata
from typing import Literal

import regex

# Python sorts long rows of marks in quadratic time, so they are cut.
_MOST_MARKS = 30
_FOLLOWING = r"[\p{M}\u1161-\u1175\u11a8-\u11c2]"
SEQUENCE = regex.compile(rf"[\s\S]{_FOLLOWING}{{0,{_MOST_MARKS}}}+")
"""What can change together when a text is normalised.

That is a character with the marks, or with the vowels and final consonants of Korean, after it.
"""
MANY_MARKS = regex.compile(rf"{_FOLLOWING}{{{_MOST_MARKS}}}")
"""A row of marks that is cut."""


def normal_form(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """A text in a normal form; rows of more than 30 marks are normalised in parts."""
    if not MANY_MARKS.search(text):
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, part) for part in SEQUENCE.findall(text))
