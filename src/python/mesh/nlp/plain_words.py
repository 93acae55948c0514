"""Words of texts whose characters leave no doubt about Unicode's word boundaries (UAX 29).

Most texts have only letters of the Latin, Greek and Cyrillic alphabets, digits of ASCII and common
punctuation, and no marks. There, a few of the rules hold, and one regular expression has all of
them: letters, digits and low lines stay together (WB5, WB8 to WB10, WB13a, WB13b), and so do one
mark between letters (WB6, WB7) and one between digits (WB11, WB12).
"""

import re

_LETTERS = (
    r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
    r"\u0391-\u03a1\u03a3-\u03ce\u0400-\u0481\u048a-\u052f"
)
# Never a part of a word: white space, punctuation and symbols beyond ASCII.
_APART = (
    r"\u00a0-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b4\u00b6\u00bb\u00d7\u00f7"
    r"\u2010-\u2015\u201c-\u201f\u2022\u2026\u20ac"
)
_OTHER = re.compile(rf"[^\x00-\x7f{_LETTERS}{_APART}]")
_RUN = rf"[{_LETTERS}0-9_]+"
_WORD = re.compile(
    rf"{_RUN}(?:(?:(?<=[{_LETTERS}])[.:'](?=[{_LETTERS}])|(?<=[0-9])[.,;'](?=[0-9])){_RUN})*"
)


def plain_words(text: str) -> list[str] | None:
    """The words of a text, as `mesh.nlp.segmentation` defines them; None where that takes more."""
    if not text.isascii() and _OTHER.search(text):
        return None
    words = _WORD.findall(text)
    # A word has a letter or a digit.
    return [word for word in words if word.strip("_")] if "_" in text else words
