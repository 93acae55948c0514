"""Key phrases: runs of words between stop words and marks of punctuation.

This is how RAKE finds its candidates (Rose et al., "Automatic keyword extraction from individual
documents", 2010). A phrase never crosses a mark, a sentence, a line or a block.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import regex

from keywords.candidates import Candidates, Place, keyword_form, matched_words
from keywords.documents import Passages
from keywords.embeddings import LONGEST_PHRASE
from mesh.core.passes import checkpoint
from mesh.nlp.phrases import PhraseFinder
from mesh.nlp.segmentation import (
    APOSTROPHES,
    RUN,
    SPACELESS_CHARACTER,
    WITHIN_WORD,
    Word,
    fold,
)
from mesh.nlp.sentences import split_sentences
from mesh.nlp.stop_words import StopWords

_HYPHENS = r"\-\u2010\u2011\u2012\u2013"
# A mark within a word: "real-time", "client/server", "AT&T", "N=4", "3.5", "node.js", "U.S".
_MARK = (
    rf"(?:{WITHIN_WORD}|[{_HYPHENS}/&+=]|(?<=\p{{N}})[.,](?=\p{{N}})"
    r"|(?<=\p{Ll})\.(?=\p{Ll})|(?<=\b\p{Lu})\.(?=\p{Lu}\b))"
)
_WORD = regex.compile(
    r"(?:https?://|www\.)\S++"
    rf"|(?P<spaceless>(?:{SPACELESS_CHARACTER})++)|{RUN}(?:(?:{_MARK}|@){RUN})*+(?:\+\+|\#)?+",
    regex.VERSION1,
)
_ADDRESS = regex.compile(r"(?:https?://|www\.|[^@]*+@)")
# What stands between two words of a phrase: a space, also behind an abbreviation or a genitive; or
# nothing, in scripts without spaces.
_GAP = regex.compile(rf"(?:[{APOSTROPHES}][sS])?\.? |")
_LETTER = regex.compile(r"\p{L}")
_APART = regex.compile(rf"[\s/{_HYPHENS}]++")
_PLURAL = regex.compile(r"(?:(?<=\w\w)ies|(?<=\w\w)y|(?<=\wx|\wch|\wsh|\wss)es|(?<=\w\w[^siu])s)$")


@dataclass(frozen=True)
class PhraseRules:
    """What a phrase is.

    Args:
        borders: words that part phrases.
        language: ISO 639-1 code; decides where sentences end.
        longest: maximum number of words.
    """

    borders: StopWords
    language: str
    longest: int


def find_phrases(
    documents: Sequence[Passages], rules: PhraseRules, min_df: int
) -> list[Candidates]:
    """The phrases of each document, in the order of their first occurrence.

    Of phrases that differ only in case, spelling, hyphens or the plural, the longest is taken.

    Args:
        documents: n documents, which are counted together for `min_df`.
        min_df: a phrase must occur in this many of the documents.
    """
    found = [_Found.of(_phrases(document, rules)) for document in documents]
    if min_df > 1:
        frequency = Counter(key for own in found for key in own.phrases)
        wanted = {key for key, count in frequency.items() if count >= min_df}
        return [own.candidates(wanted) for own in found]
    return [own.candidates(own.phrases) for own in found]


def match_phrases(
    documents: Sequence[Passages], given: Iterable[str], rules: PhraseRules
) -> list[Candidates]:
    """The given phrases that each document contains within a sentence, in the order given.

    It contains them as whole words, whatever their case, spelling, length and stop words. Their
    place is that of the sentence.

    Args:
        given: repeated ones count once.
    """
    distinct = list(dict.fromkeys(given))
    sizes = [sum(1 for _ in matched_words(phrase, _WORD)) for phrase in distinct]
    finder = PhraseFinder(distinct)
    results = []
    for document in documents:
        starts: dict[int, float] = {}
        for start, sentence in _sentences(document, rules.language):
            for number in finder.contained(sentence):
                starts.setdefault(number, start)
        found = sorted(starts)
        results.append(
            Candidates(
                [distinct[number] for number in found],
                [phrase for number, phrase in enumerate(distinct) if number not in starts],
                [Place(starts[number], max(sizes[number], 1)) for number in found],
            )
        )
    return results


class _Phrase(NamedTuple):
    text: str
    place: Place


@dataclass(frozen=True)
class _Found:
    """The phrases of a document by the form in which they are equal."""

    phrases: dict[str, _Phrase]

    @classmethod
    def of(cls, phrases: Iterable[_Phrase]) -> Self:
        found: dict[str, _Phrase] = {}
        for phrase in phrases:
            key = _key(phrase.text)
            first = found.setdefault(key, phrase)
            if len(phrase.text) > len(first.text):
                place = phrase.place._replace(start=first.place.start)
                found[key] = _Phrase(phrase.text, place)
        return cls(found)

    def candidates(self, wanted: Container[str]) -> Candidates:
        kept = [phrase for key, phrase in self.phrases.items() if key in wanted]
        return Candidates([phrase.text for phrase in kept], [], [phrase.place for phrase in kept])


def _key(phrase: str) -> str:
    """The form in which phrases are equal: "Real-time systems" and "real time system" have the same.

    Endings are those of the plural in English; French, Spanish and Portuguese share most of them.
    """
    return "".join(_PLURAL.sub("", part) for part in _APART.split(fold(phrase)))


def _phrases(document: Passages, rules: PhraseRules) -> Iterator[_Phrase]:
    """The phrases of a document: its runs of words that aren't too long.

    Where most words stand in longer runs, few borders are known, so parts of those are phrases too.
    """
    total = sum(map(len, document.blocks))
    runs = [
        (offset, sentence, run)
        for offset, sentence in _sentences(document, rules.language)
        for run in _runs(sentence, rules.borders)
    ]
    sizes = [len(run) for _, _, run in runs]
    are_parted = 2 * sum(size for size in sizes if size > rules.longest) > sum(sizes)
    for offset, sentence, run in runs:
        checkpoint()
        parts = [run] if len(run) <= rules.longest else _parts(run, rules) if are_parted else []
        for part in parts:
            text = keyword_form(sentence[part[0].start : part[-1].end])
            if 1 < len(text) <= LONGEST_PHRASE:
                yield _Phrase(text, Place(offset + part[0].start / total, len(part)))


def _parts(run: Sequence[Word], rules: PhraseRules) -> Iterator[Sequence[Word]]:
    """The pairs of neighbouring words, or the words, of a run."""
    size = min(2, rules.longest)
    return (run[start : start + size] for start in range(len(run) - size + 1))


def _sentences(document: Passages, language: str) -> Iterator[tuple[float, str]]:
    """The sentences of a document, each with its relative start."""
    total = sum(map(len, document.blocks))
    passed = 0
    for block in document.blocks:
        for start, end in split_sentences(block, language):
            yield (passed + start) / total, block[start:end]
        passed += len(block)


def _runs(sentence: str, borders: StopWords) -> Iterator[list[Word]]:
    """The longest runs of words that stay, without the numbers that they begin with."""
    run: list[Word] = []
    for word in borders.remove(sentence, list(matched_words(sentence, _WORD))):
        if run and not _GAP.fullmatch(sentence, run[-1].end, word.start):
            yield run
            run = []
        is_address = _ADDRESS.match(sentence, word.start, word.end)
        if not is_address and (run or _LETTER.search(sentence, word.start, word.end)):
            run.append(word)
    if run:
        yield run
