"""Words that part phrases: function words of every language, and general verbs in English.

`border_words.toml` has them. The lists of stop words have too many words that belong to phrases.
"""

import importlib.resources
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache

from keywords.candidates import NO_STOP_WORDS
from mesh.nlp.function_words import LANGUAGES, function_words
from mesh.nlp.stop_words import StopWords, language_code


@cache
def border_words(code: str) -> frozenset[str]:
    """The lower-case words that part the phrases of a language.

    Args:
        code: an ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`.

    Raises:
        KeyError: the code is not one of them.
    """
    if code in LANGUAGES:
        return function_words(code) | frozenset(_lists().get(code, "").split())
    return frozenset(_lists()[code].split())


def resolve_border_words(choice: str | Sequence[str] | None) -> StopWords:
    """The words that part the phrases of a configuration.

    Args:
        choice: a language by English name or ISO 639-1 code, or the words themselves, or none.

    Raises:
        UsageError: the language is unknown.
    """
    if choice is None:
        return NO_STOP_WORDS
    return _ready(language_code(choice)) if isinstance(choice, str) else StopWords(choice)


@cache
def _ready(code: str) -> StopWords:
    return StopWords(border_words(code))


@cache
def _lists() -> Mapping[str, str]:
    return tomllib.loads(
        importlib.resources.files("keywords").joinpath("border_words.toml").read_text("utf-8")
    )
