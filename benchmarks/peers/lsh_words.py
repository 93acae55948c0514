"""Shingles as users of libraries for signatures make them."""

import re

_WORD = re.compile(r"\w+")


def shingles(text: str) -> list[str]:
    """The distinct runs of three words of a text."""
    words = _WORD.findall(text.lower())
    return list({" ".join(words[first : first + 3]) for first in range(len(words) - 2)})
