"""The forms in which names are compared."""

import regex

from mesh.nlp.normal_form import PLAIN_FORMS, normal_form

# Marks of Latin, Greek and Cyrillic letters; in other scripts, marks make different letters.
_MARKS = regex.compile("[\u0300-\u036f]")
# Without the condition, each mark of a row within a name would begin another search.
_EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]++|(?<=[\p{L}\p{M}\p{N}])[^\p{L}\p{M}\p{N}]++$")
_SPACE = regex.compile(r"\s+")
_AROUND_AND = regex.compile(r" ?& ?")
# The full stop after an initial, with the space before another initial.
_INITIAL = regex.compile(r"(?<![\p{L}\p{M}\p{N}])(\p{L})\.(?: (?=\p{L}(?:\.|$)))?")

# British spellings of words that names of organisations have, and American ones.
_SPELLINGS = {
    "organisation": "organization",
    "centre": "center",
    "defence": "defense",
    "labour": "labor",
    "programme": "program",
    "theatre": "theater",
}
_BRITISH = regex.compile(rf"\b(?:{'|'.join(_SPELLINGS)})\b")
# What follows the name of a place in an adjective.
_FROM_PLACE = regex.compile(r"(?<=\p{L}{3})-(?:based|born|led|backed|made|owned|controlled)$")

ABBREVIATION = 5
"""Most letters of an abbreviation; such names mean something else in lower case, like WHO."""


def spelling(name: str) -> str:
    """A name with plain apostrophes, hyphens and spaces, and without full stops after initials.

    "J.R.R. Tolkien" and "J. R. R. Tolkien" are spelled "JRR Tolkien", "AT & T" is "AT&T".
    """
    plain = normal_form("NFC", name).translate(PLAIN_FORMS)
    # Every run of a text's words is spelled, and few have what these patterns look for.
    if "  " in plain or not plain.isprintable():
        plain = _SPACE.sub(" ", plain)
    if "&" in plain:
        plain = _AROUND_AND.sub("&", plain)
    if "." in plain:
        plain = _INITIAL.sub(r"\1", plain)
    return plain.strip()


def name_key(name: str) -> str:
    """The form by which names are looked up: a spelling without case, accents and outer marks.

    "London-based" is looked up as "London", and British spellings as American ones. Empty for a
    name without letters or digits.
    """
    key = without_accents(spelling(name)).casefold()
    if not (key.isascii() and key[:1].isalnum() and key[-1:].isalnum()):
        key = _EDGES.sub("", key)
    if any(word in key for word in _SPELLINGS):
        key = _BRITISH.sub(lambda match: _SPELLINGS[match[0]], key)
    return _FROM_PLACE.sub("", key) if "-" in key else key


def without_accents(name: str) -> str:
    """A name without the marks of its Latin, Greek and Cyrillic letters."""
    if name.isascii():
        return name
    decomposed = normal_form("NFKD", name)
    return normal_form("NFC", _MARKS.sub("", decomposed))
