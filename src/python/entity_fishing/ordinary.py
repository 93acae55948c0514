"""Which words of a language are ordinary, and which are first names or frequent last names."""

import importlib.resources
from collections.abc import Collection, Mapping
from functools import cache

from mesh.nlp.stop_words import LANGUAGES, stop_words
from mesh.nlp.word_lists import LISTED, word_counts

# The count of words that only a dictionary has, which are names too.
_IN_DICTIONARY = 50
# From here on a word is surely more than a name that was sometimes written in lower case.
_COMMON = 2_400
_RATHER_COMMON = 500
_FREQUENT = 20_000


def is_ordinary(word: str, language: str) -> bool:
    """Whether a word is in use as something else than a name; all are in unlisted languages."""
    counts = _counts(language)
    return not counts or word.lower() in counts or word.lower() in _stop_words(language)


def is_common(word: str, language: str) -> bool:
    """Whether a word is often something else than a name: Turkey and Apple are, Paris isn't."""
    return _counts(language).get(word.lower(), 0) >= _COMMON or is_stop_word(word, language)


def is_rather_common(word: str, language: str) -> bool:
    """Whether a word may often be something else than a name, like Phoenix."""
    return _counts(language).get(word.lower(), 0) >= _RATHER_COMMON


def is_stop_word(word: str, language: str) -> bool:
    """Whether a word is one of those that carry little meaning in a language."""
    small, counts = word.lower(), _counts(language)
    # The lists of stop words have some names and nouns, which are less frequent.
    return small in _stop_words(language) and (not counts or counts.get(small, 0) >= _FREQUENT)


def is_first_name(word: str) -> bool:
    """Whether a word is a frequent first name in a language with Latin letters."""
    return word.lower() in _names("first_names.txt")


def is_frequent_last_name(word: str) -> bool:
    """Whether a word is a last name of so many people that it alone tells little."""
    return word.lower() in _names("last_names.txt")


def _stop_words(language: str) -> Collection[str]:
    return stop_words(language) if language in LANGUAGES else ()


@cache
def _counts(language: str) -> Mapping[str, int]:
    """The words of a language that are in use; empty for a language without a list."""
    if language not in LISTED:
        return {}
    counts = word_counts(language)
    return {word: count for word, count in counts.items() if count > _IN_DICTIONARY}


@cache
def _names(file: str) -> frozenset[str]:
    names = importlib.resources.files("entity_fishing").joinpath(file)
    return frozenset(names.read_text(encoding="utf-8").split())
