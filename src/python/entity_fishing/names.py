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

# Without the letters that stand for one with a dot or an apostrophe behind or before it.
_SIMPLE_WORD = regex.compile(
    r"[A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u013e\u0141-\u0148\u014a-\u017e]+"
)

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
    plain = normal_form("NFC", name)
    if not plain.isascii() or "`" in plain:
        plain = plain.translate(PLAIN_FORMS)
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
    return without_place(key)


def without_place(key: str) -> str:
    """A key without what follows the name of a place in an adjective, as in "london-based"."""
    return _FROM_PLACE.sub("", key) if "-" in key else key


def is_simple_word(word: str) -> bool:
    """Whether a word has only Latin letters without marks of their own, and digits.

    In the key of a name, its own key stands for such a word, wherever it is.
    """
    return _SIMPLE_WORD.fullmatch(word) is not None


def without_accents(name: str) -> str:
    """A name without the marks of its Latin, Greek and Cyrillic letters."""
    if name.isascii():
        return name
    decomposed = normal_form("NFKD", name)
    return normal_form("NFC", _MARKS.sub("", decomposed))
