"""The words and phrases of a document that may become its keywords.

The rules are those of scikit-learn's `CountVectorizer` with its default tokenisation, for equality
with KeyBERT, not those of `mesh.nlp.words`: lower case, words of two or more word characters, stop
words removed before phrases are formed (so a phrase may span a stop word).
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from pathlib import Path

from mesh.core.errors import MeshError
from mesh.core.files import read_json
from mesh.nlp.stop_words import language_code
from mesh.nlp.stop_words import stop_words as listed_stop_words

ENGLISH_STOP_WORDS = "stop_words/english.json"
"""The English list of a compiled model: a JSON list of strings, below the model's directory."""

_WORD = re.compile(r"\b\w\w+\b")


def is_word(text: str) -> bool:
    """Whether a text is one word in the form of phrases."""
    return _WORD.fullmatch(text) is not None and text == text.lower()


def phrases(text: str, ngram_range: tuple[int, int], stop_words: Collection[str]) -> set[str]:
    """The distinct phrases of a text.

    Args:
        ngram_range: shortest and longest phrase, in words.
        stop_words: lower-case words to drop; a set, for speed.
    """
    words = [word for word in _WORD.findall(text.lower()) if word not in stop_words]
    shortest, longest = ngram_range
    found: set[str] = set(words) if shortest == 1 else set()
    for size in range(max(shortest, 2), longest + 1):
        shifted = (words[start:] for start in range(size))
        found.update(map(" ".join, zip(*shifted, strict=False)))
    return found


def find_candidates(
    documents: Sequence[str],
    ngram_range: tuple[int, int],
    stop_words: Collection[str],
    min_df: int,
    vocabulary: Iterable[str] | None = None,
) -> list[list[str]]:
    """The candidate keywords of each document.

    Args:
        documents: n texts, which are counted together for `min_df`.
        min_df: a phrase must occur in this many of the documents; ignored with a `vocabulary`.
        vocabulary: the only phrases to look for; repeated ones count once.

    Returns:
        n lists of distinct candidates, in the order of `vocabulary`, or else in alphabetical order.
    """
    found = [phrases(text, ngram_range, stop_words) for text in documents]
    if vocabulary is not None:
        distinct = list(dict.fromkeys(vocabulary))
        return [[phrase for phrase in distinct if phrase in own] for own in found]
    if min_df > 1:
        frequency = Counter(phrase for own in found for phrase in own)
        found = [{phrase for phrase in own if frequency[phrase] >= min_df} for own in found]
    return [sorted(own) for own in found]


def read_english_stop_words(directory: Path) -> frozenset[str]:
    """Read the English list of a compiled model.

    Raises:
        MeshError: the file is missing, or not a list of strings.
    """
    path = directory / ENGLISH_STOP_WORDS
    words = read_json(path)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise MeshError(f"{path} does not hold a list of strings: compile the model again.")
    return frozenset(words)


def resolve_stop_words(choice: str | Sequence[str] | None, english: Set[str]) -> Set[str]:
    """The words that a configuration drops.

    Args:
        choice: a language by English name or ISO 639-1 code, or the words themselves, or none.
        english: the list for English; those of other languages come from `mesh.nlp`.

    Raises:
        UsageError: the language is unknown.
    """
    if choice is None:
        return frozenset()
    if not isinstance(choice, str):
        return frozenset(choice)
    code = language_code(choice)
    return english if code == "en" else listed_stop_words(code)
