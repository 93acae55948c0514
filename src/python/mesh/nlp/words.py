"""Words of a text in any script, for several uses; see `mesh.nlp.segmentation`.

- `words` compares texts: in one form for all cases and spellings.
- `content_words` makes the signatures of lsh: in the same form, without function words.
- `split_words` tags them: spans in the text as it is, punctuation marks are words too.
"""

from collections.abc import Sequence
from functools import cache

import regex

from mesh.nlp.function_words import function_words
from mesh.nlp.segmentation import (
    JOINERS,
    SPACELESS_SCRIPTS,
    Word,
    fold,
    script_characters,
    word_texts,
)
from mesh.nlp.stop_words import StopWords

_LETTERS = r"\p{L}\p{M}\p{N}"


def words(text: str) -> list[str]:
    """The words of a text without punctuation, in one form for all cases and spellings.

    "Don't STOP!" gives `["don't", "stop"]`.
    """
    return word_texts(fold(text))


def content_words(text: str, language: str) -> list[str]:
    """The words of a text in order, in the form of `words`, without function words.

    Elided words and contracted endings are left out: "l'avion" gives "avion", "company's" gives
    "company".

    Args:
        language: ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`.

    Raises:
        KeyError: the language has no stop words.
    """
    return _function_words(language).content(fold(text))


@cache
def _function_words(language: str) -> StopWords:
    return StopWords(function_words(language))


def run_characters(spaceless: Sequence[str]) -> str:
    """The characters of runs, as a set of the package `regex` in version 1.

    Args:
        spaceless: scripts whose characters are words themselves.
    """
    return rf"[{_LETTERS}--[{script_characters(spaceless)}]]"


def word_expression(spaceless: Sequence[str]) -> str:
    """A regular expression for a word, whose last alternative is a run; see `run_characters`."""
    return rf"[{script_characters(spaceless)}]\p{{M}}*|{run_characters(spaceless)}+"


_RUN = run_characters(SPACELESS_SCRIPTS)
_WORD_OR_MARK = regex.compile(
    # No run begins with a mark: the selector of an emoji's form belongs to the emoji.
    rf"[{script_characters(SPACELESS_SCRIPTS)}]\p{{M}}*|(?!\p{{M}}){_RUN}+(?:[{JOINERS}]+{_RUN}+)*|\S\p{{M}}*",
    regex.VERSION1,
)


def split_words(text: str) -> list[Word]:
    """The words and punctuation marks of a text, in order.

    Trained models read words in this form, so it isn't that of `words`: an apostrophe or a hyphen
    is a word of its own, and so is each character of a script without spaces between words.
    """
    return [Word(*match.span()) for match in _WORD_OR_MARK.finditer(text)]
