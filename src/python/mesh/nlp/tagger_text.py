"""The form in which a tagger reads a text, in training as in serving.

Every character keeps its place, so that places in both forms are the same.
"""

from typing import NamedTuple

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.addresses import find_addresses

LONGEST_CAPITALS = 5
"""Most letters of a word that is read in capitals: longer ones are rarely abbreviations."""

_LONG_CAPITALS = regex.compile(rf"(?<!\p{{L}})\p{{Lu}}{{{LONGEST_CAPITALS + 1},}}+(?!\p{{L}})")


class TaggerText(NamedTuple):
    """A text as a tagger reads it.

    Args:
        addresses: where URLs, e-mail addresses, handles and hashtags begin.
    """

    text: str
    addresses: frozenset[int]


def tagger_text(text: str) -> TaggerText:
    """A text without the letters of its addresses, and without needless capitals.

    - A URL is read as `http`, an e-mail address or handle as `@`, a hashtag as `#`, each followed by
      spaces.
    - A text in capitals is read in lower case.
    - In other texts, a long word in capitals is read as a capitalised one.
    """
    checkpoint()
    addresses = find_addresses(text)
    parts: list[str] = []
    position = 0
    for span in addresses:
        parts += [text[position : span.start], _sign(text[span.start : span.end])]
        position = span.end
    read = _without_capitals("".join([*parts, text[position:]]))
    return TaggerText(read, frozenset(span.start for span in addresses))


def _without_capitals(text: str) -> str:
    if text.isupper():
        return _same_length(text, text.lower())
    read: str = _LONG_CAPITALS.sub(
        lambda word: _same_length(word[0], word[0][0] + word[0][1:].lower()), text
    )
    return read


def _sign(address: str) -> str:
    """What stands for an address, as long as it is."""
    if address[0] in "#\uff03":
        sign = "#"
    elif "://" not in address and ("@" in address or "\uff20" in address):
        sign = "@"
    else:
        sign = "http"
    return sign.ljust(len(address))


def _same_length(text: str, other: str) -> str:
    """The other form of a text, unless a letter has another length in it."""
    return other if len(text) == len(other) else text
