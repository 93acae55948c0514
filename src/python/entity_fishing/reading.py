"""A document's words and sentences, and what its capital letters say about names."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import regex

from entity_fishing.ordinary import is_stop_word
from entity_fishing.schema import Language
from mesh.nlp.document import Document
from mesh.nlp.segmentation import CJK_SCRIPTS
from mesh.nlp.sentences import Span
from mesh.nlp.words import word_expression

# Each character of these scripts may begin or end a name.
_WORD = regex.compile(word_expression(CJK_SCRIPTS), regex.VERSION1)
# The same in ASCII, where this is faster.
_ASCII_WORD = re.compile("[A-Za-z0-9]+")
# A sentence of at least so many words, all of them capitalised, is a headline.
_HEADLINE = 3
# A name in capitals, at the start of a sentence or behind the writer's name, before a date, an
# agency or a country.
_DATELINE = regex.compile(
    r"(?:(?<=^|[\n.!?] ?)|(?<=\p{Ll} )(?=[\p{Lu} ]{1,60}[\d*]))"
    r"\p{Lu}[\p{Lu}.'-]{2,30}(?: \p{Lu}[\p{Lu}.'-]{1,30}){0,3} ?"
    r"(?=\d|\p{Lu}\p{Ll}{1,9}\.? \d|[(*\u2013\u2014-]|, \p{Lu}\p{Ll})"
)
# What begins a new sentence inside of another one.
_OPENING = regex.compile('[:\u201c\u201e\u00ab"]')


class Run(NamedTuple):
    """Neighbouring words of a text, by their indexes; the last one belongs to it."""

    first: int
    last: int

    @property
    def indexes(self) -> range:
        """The indexes of its words."""
        return range(self.first, self.last + 1)


def spans_of_words(text: str) -> list[Span]:
    """The words that names are made of, without punctuation marks."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return [Span(*match.span()) for match in pattern.finditer(text)]


class Reading:
    """A document as names are looked for in it.

    Args:
        words: of all of its text, without punctuation marks.
        sentences: in order; none crosses a block.
    """

    def __init__(self, document: Document, language: Language) -> None:
        self.text = document.text
        self.language = language
        self.words = spans_of_words(document.text)
        self.sentences = document.sentences(language)
        self._ends = [sentence.end for sentence in self.sentences]
        self._starts = [word.start for word in self.words]
        # A sentence may have many names, so it is looked through once.
        self._capitals: dict[Span, bool] = {}

    def word(self, index: int) -> str:
        """The characters of a word."""
        return self.text[slice(*self.words[index])]

    def index(self, start: int) -> int:
        """The index of the first word that begins at a character or behind it."""
        return bisect_left(self._starts, start)

    def context(self, start: int, end: int) -> Span:
        """The sentence that a piece of the text is in, or the sentences."""
        first = bisect_right(self._ends, start)
        last = min(bisect_left(self._ends, end, lo=first), len(self.sentences) - 1)
        if first > last:
            return Span(start, end)
        return Span(min(start, self.sentences[first].start), max(end, self.sentences[last].end))

    def tells_case(self, start: int, end: int) -> bool:
        """Whether a piece of the text is in a sentence with small letters, and maybe others."""
        return not (self.is_lower_case or self._is_in_capitals(self.context(start, end)))

    def is_alone(self, run: Run) -> bool:
        """Whether these words are all that their sentence says, as in a list of names."""
        sentence = self.context(self.words[run.first].start, self.words[run.last].end)
        return self._indexes(sentence) == run.indexes

    def is_abbreviation(self, index: int) -> bool:
        """Whether a word has only capital letters, unlike the others of its sentence."""
        word = self.word(index)
        return len(word) > 1 and word.isupper() and index not in self._in_capitals

    @cached_property
    def is_lower_case(self) -> bool:
        """Whether the document is written without capital letters, but for abbreviations."""
        words = [self.word(index) for index in range(len(self.words))]
        return any(word[0].islower() for word in words) and not any(
            word[0].isupper() and len(word) > 1 and not word.isupper() for word in words
        )

    @cached_property
    def small_words(self) -> frozenset[str]:
        """The words in lower case, case folded, of a document that has capital letters."""
        if self.is_lower_case:
            return frozenset()
        words = map(self.word, range(len(self.words)))
        return frozenset(word.casefold() for word in words if word[0].islower())

    @cached_property
    def unmarked(self) -> frozenset[int]:
        """The indexes of the words whose letter case doesn't tell names from other words.

        Those are the first words of sentences, all words of headlines and of sentences in capitals
        or, if the whole document is so, in small letters. In German they are all but the stop
        words, since it capitalises every noun.
        """
        if self.is_lower_case:
            return frozenset(range(len(self.words)))
        found = set(self._in_capitals)
        for indexes in self._cased:
            found.update(self._starting(indexes))
            if self.language == Language.GERMAN or self._is_headline(indexes):
                found.update(index for index in indexes if not self._is_stop_word(index))
        return frozenset(found)

    @cached_property
    def datelines(self) -> frozenset[int]:
        """The indexes of words that say where a report is from: "LONDON 1996-08-30"."""
        return frozenset(self.index(match.start()) for match in _DATELINE.finditer(self.text))

    @cached_property
    def _in_capitals(self) -> frozenset[int]:
        """The indexes of the words of sentences in capital letters."""
        return frozenset(
            index
            for indexes in self._cased
            if len(indexes) > 1 and all(self.word(index).isupper() for index in indexes)
            for index in indexes
        )

    @cached_property
    def _cased(self) -> list[list[int]]:
        """For each sentence, the indexes of the words whose first letter has a case."""
        return [
            [
                index
                for index in self._indexes(sentence)
                if (first := self.text[self.words[index].start]).isupper() or first.islower()
            ]
            for sentence in self.sentences
        ]

    def _starting(self, indexes: Sequence[int]) -> Iterator[int]:
        """The words of a sentence that begin it, or a quotation in it."""
        yield from indexes[:1]
        for index in indexes[1:]:
            if _OPENING.search(self.text, self.words[index - 1].end, self.words[index].start):
                yield index

    def _is_headline(self, indexes: Sequence[int]) -> bool:
        """Whether all words of a sentence but the stop words are capitalised."""
        if any(not (self._is_capitalised(i) or self._is_stop_word(i)) for i in indexes):
            return False
        return sum(not self._is_stop_word(i) for i in indexes) >= _HEADLINE

    def _is_in_capitals(self, sentence: Span) -> bool:
        if sentence not in self._capitals:
            self._capitals[sentence] = self.text[slice(*sentence)].isupper()
        return self._capitals[sentence]

    def _indexes(self, span: Span) -> range:
        return range(bisect_left(self._starts, span.start), bisect_left(self._starts, span.end))

    def _is_stop_word(self, index: int) -> bool:
        return is_stop_word(self.word(index), self.language)

    def _is_capitalised(self, index: int) -> bool:
        return self.word(index)[0].isupper()
