"""Words of a text in any script.

A word is a run of letters, marks and digits. Scripts without spaces between words give one word for
each character. Three users need three variants of that, and they stay apart since each decides
stored results:

- `words` compares texts: normalised, "don't" is one word.
- `split_words` tags them: spans in the text as it is, punctuation marks are words too.
- `content_words` makes the signatures of lsh: normalised, without stop words, apostrophes part
  words.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import regex

from mesh.nlp.stop_words import stop_words

SPACELESS_SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts that are written without spaces between words."""

_LETTERS = r"\p{L}\p{M}\p{N}"


class Word(NamedTuple):
    """A run of letters and digits, or a single other character: `text[start:end]`."""

    start: int
    end: int


def run_characters(spaceless: Sequence[str]) -> str:
    """The characters of runs, as a set of the package `regex` in version 1.

    Args:
        spaceless: scripts whose characters are words themselves.
    """
    return rf"[{_LETTERS}--[{_scripts(spaceless)}]]"


def word_expression(spaceless: Sequence[str]) -> str:
    """A regular expression for a word, whose last alternative is a run; see `run_characters`."""
    return rf"[{_scripts(spaceless)}]\p{{M}}*|{run_characters(spaceless)}+"


def _scripts(names: Sequence[str]) -> str:
    return "".join(rf"\p{{{name}}}" for name in names)


_WORD = regex.compile(
    # Only runs have apostrophes in them.
    rf"{word_expression(SPACELESS_SCRIPTS)}(?:['\u2019][\p{{L}}\p{{M}}]+)*",
    regex.VERSION1,
)
_WORD_OR_MARK = regex.compile(
    rf"{word_expression(SPACELESS_SCRIPTS)}|[^\s{_LETTERS}]", regex.VERSION1
)
# Extensions count characters that several scripts share, such as the long vowel of Japanese.
_SHARED = [f"Script_Extensions={script}" for script in SPACELESS_SCRIPTS]
_RUN = regex.compile(
    rf"(?P<spaceless>[{_LETTERS}&&[{_scripts(_SHARED)}]]+)|{run_characters(_SHARED)}+",
    regex.VERSION1,
)


def words(text: str) -> list[str]:
    """The words of a text without punctuation, in one form for all cases and spellings.

    "Don't STOP!" gives `["don't", "stop"]`.
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    return [word.replace("\u2019", "'") for word in _WORD.findall(normal)]


def split_words(text: str) -> list[Word]:
    """The words and punctuation marks of a text, in order."""
    return [Word(*match.span()) for match in _WORD_OR_MARK.finditer(text)]


def content_words(text: str, language: str) -> list[str]:
    """The words of a text in order, in NFKC and lower case, without stop words.

    Apostrophes and hyphens part words. In scripts without spaces, the longest stop word at each
    position is dropped.

    Args:
        language: ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`.

    Raises:
        KeyError: the language has no stop words.
    """
    dropped = stop_words(language)
    longest = _longest(language)
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        run = match[0]
        if match["spaceless"]:
            found.extend(_characters(run, dropped, longest))
        elif run not in dropped:
            found.append(run)
    return found


@cache
def _longest(language: str) -> int:
    return max(map(len, stop_words(language)))


def _characters(run: str, dropped: Collection[str], longest: int) -> Iterator[str]:
    position = 0
    while position < len(run):
        lengths = range(min(longest, len(run) - position), 0, -1)
        length = next((size for size in lengths if run[position : position + size] in dropped), 0)
        if not length:
            yield run[position]
        position += length or 1
