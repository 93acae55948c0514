"""Lists of the words of some languages, from the package `pyspellchecker`."""

from collections.abc import Mapping, Sequence
from functools import cache

LISTED = frozenset(("ar", "de", "en", "es", "eu", "fa", "fr", "it", "lv", "nl", "pt", "ru"))
"""The languages with a list, by ISO 639-1 code."""

_LEAST_COUNT_OF_SHORT = 2000


class WordList:
    """The words of a language, kept as their hashes: 8 bytes a word instead of 200."""

    def __init__(self, words: Sequence[str]) -> None:
        import numpy as np

        self._hashes = np.fromiter(map(hash, words), dtype=np.int64, count=len(words))
        self._hashes.sort()

    def __contains__(self, word: str) -> bool:
        wanted = hash(word)
        place = self._hashes.searchsorted(wanted)
        return bool(place < len(self._hashes) and self._hashes[place] == wanted)


def word_counts(language: str) -> Mapping[str, int]:
    """A language's words in lower case, and how often they are in subtitles; read at each call.

    Args:
        language: one of `LISTED`.
    """
    from spellchecker import SpellChecker

    counts: Mapping[str, int] = SpellChecker(language).word_frequency.dictionary
    return counts


@cache
def word_list(language: str) -> WordList:
    """The list of a language's words in lower case, which is read in 0.1 to 1 s.

    Args:
        language: one of `LISTED`.
    """
    counts = word_counts(language)
    # The rare ones among the short are abbreviations and parts of names.
    return WordList(
        [word for word, count in counts.items() if len(word) > 3 or count >= _LEAST_COUNT_OF_SHORT]
    )
