"""Finds names in a text by looking up its runs of words."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

import regex

from entity_fishing.knowledge import Candidate, KnowledgeBase
from entity_fishing.linker import Mention
from entity_fishing.names import SPACELESS_SCRIPTS, name_key
from entity_fishing.schema import Language, Reason
from mesh.nlp.stop_words import stop_words
from mesh.nlp.words import word_expression

MAX_WORDS = 8
"""Most words of a name. In Chinese and Japanese every character counts as one."""
MAX_LOWER_CASE_WORDS = 3
"""The same for names in lower case, which are short; most runs of words begin so."""

_WORD = regex.compile(word_expression(SPACELESS_SCRIPTS), regex.VERSION1)
# Abbreviations up to this length mean something else in lower case, like WHO.
_ABBREVIATION = 5
# Between the words of a name only a few characters within one line may stand.
_GAP = regex.compile(r"[^\S\n]?[&'\u2019./+\u2013-]?[^\S\n]?|\.? |, ")
# Capitalised words beside a name that aren't part of it.
_BESIDE = frozenset(
    "mr mrs ms dr president vice chancellor prime minister king queen emperor pope prince princess "
    "sir ceo cfo chairman founder mayor senator governor secretary general captain colonel lord "
    "lady professor coach justice actor actress singer director pilot judge monday tuesday "
    "wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)


def find_names(text: str, language: Language, knowledge: KnowledgeBase) -> list[Mention]:
    """Find the names that a knowledge base has; of several with the same start, the longest.

    A name beside another capitalised word, as in "Peter Jordan", is marked as part of a longer
    name; except in German, which capitalises every noun.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    runs = {span: name_key(text[slice(*span)]) for span in _runs(text, words)}
    found = knowledge.find(set(runs.values()), language)
    spans: list[tuple[int, int]] = []
    for start, end in sorted(runs, key=lambda span: (span[0], -span[1])):
        candidates = found.get(runs[start, end], ())
        if (not spans or start >= spans[-1][1]) and _is_name(text[start:end], candidates):
            spans.append((start, end))
    if language == Language.GERMAN:
        return [Mention(*span) for span in spans]
    joined = _within_longer(text, words, spans, stop_words(language))
    return [
        Mention(*span, reason=Reason.PART_OF_LONGER_NAME if span in joined else None)
        for span in spans
    ]


def _runs(text: str, words: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans of neighbouring words that are short enough for a name."""
    for first, (start, _) in enumerate(words):
        previous = None
        count = MAX_LOWER_CASE_WORDS if text[start].islower() else MAX_WORDS
        for word_start, word_end in words[first : first + count]:
            if previous is not None and not _GAP.fullmatch(text, previous, word_start):
                break
            yield start, word_end
            previous = word_end


def _is_name(surface: str, candidates: Sequence[Candidate]) -> bool:
    return any(_is_written_like(surface, candidate.name) for candidate in candidates)


def _is_written_like(surface: str, name: str) -> bool:
    """Whether the letter case of a piece of text is one in which this name is written."""
    if surface == name:
        return True
    if name.isupper() and len(name) <= _ABBREVIATION:
        # A full stop at the end isn't part of the run of words.
        return surface in name
    return surface[0] == surface[0].upper()


def _within_longer(
    text: str,
    words: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
    ordinary: frozenset[str],
) -> set[tuple[int, int]]:
    """The names beside a capitalised word, after one space, that isn't a known name or title."""
    starts = [start for start, _ in words]
    known = {
        word
        for start, end in spans
        for word in words[bisect_left(starts, start) : bisect_left(starts, end)]
    }
    of_start = {start: (start, end) for start, end in spans}
    of_end = {end: (start, end) for start, end in spans}
    joined: set[tuple[int, int]] = set()
    for left, right in pairwise(words):
        if text[left[1] : right[0]] != " ":
            continue
        for word, name in ((left, of_start.get(right[0])), (right, of_end.get(left[1]))):
            if name and word not in known and _is_part(text[slice(*word)], ordinary):
                joined.add(name)
    return joined


def _is_part(word: str, ordinary: frozenset[str]) -> bool:
    return word[0].isupper() and word.lower() not in _BESIDE and word.lower() not in ordinary
