"""The words and phrases of a document that may become its keywords.

Words are those of scikit-learn's `CountVectorizer` with its default tokenisation, for equality with
KeyBERT, wherever its pattern finds whole words: lower case, two or more word characters, stop words
removed before phrases are formed (so a phrase may span a stop word). Where the pattern tears words,
at marks, at apostrophes and in scripts without spaces, they are those of `mesh.nlp`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import regex

from keywords.documents import Passages
from mesh.core.errors import MeshError
from mesh.core.files import read_json
from mesh.core.passes import checkpoint
from mesh.nlp.phrases import PhraseFinder
from mesh.nlp.segmentation import (
    RUN,
    SPACELESS_CHARACTER,
    WITHIN_WORD,
    Word,
    core,
    has_spaceless,
    segments,
)
from mesh.nlp.stop_words import StopWords, language_code, stop_words_of

ENGLISH_STOP_WORDS = "stop_words/english.json"
"""The English list of a compiled model: a JSON list of strings, below the model's directory."""

NO_STOP_WORDS = StopWords(())

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\uff07", "'"))

_WORD = regex.compile(
    rf"(?P<spaceless>(?:{SPACELESS_CHARACTER})++)|{RUN}(?:{WITHIN_WORD}{RUN})*+", regex.VERSION1
)


class Place(NamedTuple):
    """Where a candidate stands.

    Args:
        start: where it first occurs, from 0 at the beginning of the document to 1 at its end.
        words: the number of its words.
    """

    start: float
    words: int


class Candidates(NamedTuple):
    """The candidate keywords of a document.

    Args:
        found: distinct ones.
        unmatched: given ones that the document doesn't contain.
        places: of each one in `found`, where places count in ranking.
    """

    found: list[str]
    unmatched: list[str]
    places: Sequence[Place] = ()


def is_word(text: str) -> bool:
    """Whether a text is one word in the form of phrases."""
    return words(text, NO_STOP_WORDS) == [text]


def words(text: str, stop_words: StopWords) -> list[str]:
    """The words of a text that stay, in lower case and in order."""
    kept = stop_words.remove(text, list(matched_words(text, _WORD)))
    return [keyword_form(text[start:end]) for start, end in kept if end - start > 1]


def keyword_form(text: str) -> str:
    """A part of a text as it is shown: in lower case, with plain apostrophes."""
    return text.lower().translate(_APOSTROPHES)


def matched_words(text: str, expression: regex.Pattern[str]) -> Iterator[Word]:
    """The words of a text; elided ones, such as "jusqu" in "jusqu'au", stand before their word.

    Args:
        expression: matches a word, or as its group "spaceless" a run of characters of scripts
            without spaces, which is segmented.
    """
    borders = {start for start, _ in segments(text)} if has_spaceless(text) else ()
    for match in expression.finditer(text):
        checkpoint()
        start, end = match.span()
        if match["spaceless"]:
            inner = (position for position in range(start + 1, end) if position in borders)
            yield from map(Word._make, pairwise((start, *inner, end)))
        else:
            elided = core(match[0]).start
            if elided:
                yield Word(start, start + elided - 1)
            yield Word(start, end)


def phrases(words: Sequence[str], ngram_range: tuple[int, int]) -> set[str]:
    """The distinct phrases of successive words.

    Args:
        ngram_range: shortest and longest phrase, in words.
    """
    shortest, longest = ngram_range
    found: set[str] = set(words) if shortest == 1 else set()
    for size in range(max(shortest, 2), longest + 1):
        shifted = (words[start:] for start in range(size))
        found.update(map(" ".join, zip(*shifted, strict=False)))
    return found


def find_candidates(
    documents: Sequence[Passages],
    ngram_range: tuple[int, int],
    stop_words: StopWords,
    min_df: int,
) -> list[Candidates]:
    """The candidate keywords of each document, in alphabetical order.

    Args:
        documents: n documents, which are counted together for `min_df`.
        min_df: a phrase must occur in this many of the documents.
    """
    found = []
    for document in documents:
        parts = [words(block, stop_words) for block in document.blocks]
        if document.phrases_cross_blocks:
            parts = [list(chain.from_iterable(parts))]
        found.append(set[str]().union(*(phrases(part, ngram_range) for part in parts)))
    if min_df > 1:
        frequency = Counter(chain.from_iterable(found))
        found = [{phrase for phrase in own if frequency[phrase] >= min_df} for own in found]
    return [Candidates(sorted(own), []) for own in found]


def match_candidates(
    documents: Sequence[Passages],
    given: Iterable[str],
    ngram_range: tuple[int, int],
    stop_words: StopWords,
) -> list[Candidates]:
    """The given candidates that each document contains within a block, in the order given.

    It contains them as whole words, whatever their case, spelling, length and stop words; or as
    phrases without stop words, as in KeyBERT.

    Args:
        given: repeated ones count once.
    """
    distinct = list(dict.fromkeys(given))
    finder = PhraseFinder(distinct)
    return [_match(document, distinct, finder, ngram_range, stop_words) for document in documents]


def _match(
    document: Passages,
    given: Sequence[str],
    finder: PhraseFinder,
    ngram_range: tuple[int, int],
    stop_words: StopWords,
) -> Candidates:
    matched: set[str] = set()
    for block in document.blocks:
        matched.update(given[number] for number in finder.contained(block))
    # A phrase of several words may have punctuation or stop words in between.
    if any(" " in candidate for candidate in given if candidate not in matched):
        for block in document.blocks:
            matched |= phrases(words(block, stop_words), ngram_range)
    found = [candidate for candidate in given if candidate in matched]
    return Candidates(found, [candidate for candidate in given if candidate not in matched])


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


def resolve_stop_words(choice: str | Sequence[str] | None, english: StopWords) -> StopWords:
    """The words that a configuration drops.

    Args:
        choice: a language by English name or ISO 639-1 code, or the words themselves, or none.
        english: those of English; those of other languages come from `mesh.nlp`.

    Raises:
        UsageError: the language is unknown.
    """
    if choice is None:
        return NO_STOP_WORDS
    if not isinstance(choice, str):
        return StopWords(choice)
    code = language_code(choice)
    return english if code == "en" else stop_words_of(code)
