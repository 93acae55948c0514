"""Finding names in a text by looking up its runs of words."""

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
"""Of a name. In Chinese and Japanese every character counts as one."""
MAX_LOWER_CASE_WORDS = 3
"""Of a name that begins in lower case: such names are short, and most runs of words begin so."""

_WORD = regex.compile(word_expression(SPACELESS_SCRIPTS), regex.VERSION1)
# Abbreviations up to this length mean something else in lower case, as WHO does.
_ABBREVIATION = 5
# What may stand between the words of a name: nothing but a few characters within one line.
_GAP = regex.compile(r"[^\S\n]?[&'\u2019./+\u2013-]?[^\S\n]?|\.? |, ")
# Words beside a name that are written like a part of it but aren't.
_BESIDE = frozenset(
    "mr mrs ms dr president vice chancellor prime minister king queen emperor pope prince princess "
    "sir ceo cfo chairman founder mayor senator governor secretary general captain colonel lord "
    "lady professor coach justice actor actress singer director pilot judge monday tuesday "
    "wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)


def find_names(text: str, language: Language, knowledge: KnowledgeBase) -> list[Mention]:
    """Find the names that a knowledge base has, the longest where several begin.

    A name beside another capitalised word, as in "Peter Jordan", is marked as part of a longer
    name; but not in German, which writes every noun so.
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
    """The spans of neighbouring words that are few enough for a name."""
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
    """Whether the letter cases of what stands in a text allow it to be this name."""
    if surface == name:
        return True
    if name.isupper() and len(name) <= _ABBREVIATION:
        # A full stop at the end is no part of the run of words.
        return surface in name
    return surface[0] == surface[0].upper()


def _within_longer(
    text: str,
    words: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
    ordinary: frozenset[str],
) -> set[tuple[int, int]]:
    """The names with a capitalised word beside them, only a space between, that is no known name or title."""
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
