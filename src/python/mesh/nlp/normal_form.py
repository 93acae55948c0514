"""Unicode's normal forms of any text, in linear time, and the plain forms of its marks."""

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

PLAIN_FORMS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u00b4\u0060\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    }
)
"""The plain forms of apostrophes, dashes and quotation marks, for `str.translate`."""


def normal_form(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """A text in a normal form; rows of more than 30 marks are normalised in parts."""
    if text.isascii():
        return text
    if not MANY_MARKS.search(text):
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, part) for part in SEQUENCE.findall(text))
