"""Words of a text in any script, and the shingles by which near-duplicates are found."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cache

import regex

from mesh.nlp.stop_words import stop_words

_UNSPACED_SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
_UNSPACED = "".join(rf"\p{{Script_Extensions={script}}}" for script in _UNSPACED_SCRIPTS)
_LETTER = r"[\p{L}\p{M}\p{N}]"
_RUN = regex.compile(
    rf"(?P<unspaced>(?:(?=[{_UNSPACED}]){_LETTER})+)|(?:(?![{_UNSPACED}]){_LETTER})+"
)


def tokenize(text: str, language: str) -> list[str]:
    """The words of a text in its order, without stop words.

    The text is brought into compatibility form (NFKC) and lower-cased. A word is a run of letters, marks and digits, so
    apostrophes and hyphens part words. In scripts that put no spaces between words (Chinese, Japanese, Thai and
    others), each character is a word; there, the longest stop word at each place is left out.

    Args:
        language: ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`, whose stop words are left out.

    Raises:
        KeyError: the language has no stop words.
    """
    left_out = stop_words(language)
    longest = _longest(language)
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        run = match[0]
        if match["unspaced"]:
            found.extend(_characters(run, left_out, longest))
        elif run not in left_out:
            found.append(run)
    return found


def shingle(words: Sequence[str], size: int) -> set[str]:
    """The distinct sequences of `size` neighbouring words, joined by spaces; none if there are fewer words."""
    return {" ".join(words[start : start + size]) for start in range(len(words) - size + 1)}


@cache
def _longest(language: str) -> int:
    return max(map(len, stop_words(language)))


def _characters(run: str, left_out: Collection[str], longest: int) -> Iterator[str]:
    position = 0
    while position < len(run):
        lengths = range(min(longest, len(run) - position), 0, -1)
        length = next((size for size in lengths if run[position : position + size] in left_out), 0)
        if not length:
            yield run[position]
        position += length or 1
