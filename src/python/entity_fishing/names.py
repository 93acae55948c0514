"""The forms in which names are compared."""

import regex

from mesh.nlp.normal_form import normal_form

# Marks of Latin, Greek and Cyrillic letters; in other scripts, marks make different letters.
_MARKS = regex.compile("[\u0300-\u036f]")
_EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$")
_SPACE = regex.compile(r"\s+")
_INITIAL = regex.compile(r"(?<![\p{L}\p{M}\p{N}])(\p{L})\.")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u00b4\u0060\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
    }
)

ABBREVIATION = 5
"""Most letters of an abbreviation; such names mean something else in lower case, like WHO."""


def spelling(name: str) -> str:
    """A name with plain apostrophes, hyphens and spaces, and without full stops after initials."""
    plain = normal_form("NFC", name).translate(_PLAIN)
    spelled: str = _INITIAL.sub(r"\1", _SPACE.sub(" ", plain)).strip()
    return spelled


def name_key(name: str) -> str:
    """The form by which names are looked up: a spelling without case, accents and outer marks.

    Empty for a name without letters or digits.
    """
    decomposed = normal_form("NFKD", spelling(name)).casefold()
    plain = normal_form("NFC", _MARKS.sub("", decomposed))
    key: str = _EDGES.sub("", plain)
    return key
