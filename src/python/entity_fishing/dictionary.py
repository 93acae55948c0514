"""Finds names in a text by looking up its runs of words."""

from collections.abc import Container, Iterator, Sequence

import regex

from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Mention
from entity_fishing.lookup import Lookup
from entity_fishing.names import ABBREVIATION, spelling
from entity_fishing.neighbours import Neighbours
from entity_fishing.ordinary import is_common, is_rather_common, is_stop_word
from entity_fishing.reading import Reading, Run, spans_of_words
from entity_fishing.schema import Language, Reason
from mesh.core.passes import checkpoint

_INITIALS = regex.compile(r"(?:^|\P{L})\p{L}\. ?\p{L}$")
# Doubts about a rather common word, a common one, one in other languages than the encoder's and the
# descriptions', and a common one that the text also has in lower case.
_RATHER_COMMON = 0.12
_COMMON = 0.16
_COMMON_ELSEWHERE = 0.23
_SMALL = 0.4
# The article that tells "the US" from "us".
_ARTICLE = "the"


def find_names(reading: Reading, knowledge: KnowledgeBase) -> list[Mention]:
    """Find the names that a knowledge base has; of several with the same start, the longest.

    A name beside another capitalised word, as in "Peter Jordan", is marked as part of a longer
    name. A single word that may as well be an ordinary one, as in "Turkey tastes best", is marked
    as doubtful.
    """
    return _Search(reading, knowledge).mentions()


class _Search:
    def __init__(self, reading: Reading, knowledge: KnowledgeBase) -> None:
        self._reading = reading
        self._lookup = Lookup(reading, knowledge)

    def mentions(self) -> list[Mention]:
        names = list(self._names())
        neighbours = Neighbours(self._reading, names)
        evident = self._evident(names)
        return [self._mention(run, neighbours, evident) for run in names]

    def _mention(self, run: Run, neighbours: Neighbours, evident: Container[str]) -> Mention:
        start, end = self._reading.words[run.first].start, self._end(run)
        if neighbours.joins(run, {found.type for found in self._lookup.candidates(run)}):
            return Mention(start, end, reason=Reason.PART_OF_LONGER_NAME)
        return Mention(start, end, doubt=self._doubt(run, evident))

    def _names(self) -> Iterator[Run]:
        first = 0
        while first < len(self._reading.words):
            checkpoint()
            names = [run for run in self._lookup.runs(first) if self._is_name(run)]
            yield from names[-1:]
            first = names[-1].last + 1 if names else first + 1

    def _is_name(self, run: Run) -> bool:
        if self._is_small_word(run):
            return False
        return any(
            self._is_written_like(run, candidate.name) for candidate in self._lookup.candidates(run)
        )

    def _is_small_word(self, run: Run) -> bool:
        """Whether a stop word stands where letter case doesn't tell it from a name, as in "US"."""
        reading = self._reading
        return (
            all(map(self._is_stop_word, run.indexes))
            and not self._is_after_article(run)
            and not self._is_abbreviation(run)
            and reading.unmarked.issuperset(run.indexes)
        )

    def _is_after_article(self, run: Run) -> bool:
        """Whether these are "US" and the like, where the article tells them from pronouns."""
        return (
            run.first == run.last
            and run.first > 0
            and self._reading.word(run.first - 1).lower() == _ARTICLE
            and self._is_stop_word(run.first)
        )

    def _is_possessive(self, run: Run) -> bool:
        """Whether an English 's follows, which ordinary words only have with an article."""
        following = self._reading.text[(end := self._reading.words[run.last].end) : end + 2]
        is_english = self._reading.language == Language.ENGLISH
        return is_english and spelling(following) == "'s" and not self._reading.is_lower_case

    def _is_abbreviation(self, run: Run) -> bool:
        """Whether these are initials, or a word in capitals where other words aren't."""
        return bool(_INITIALS.search(self._surface(run))) or (
            run.first == run.last and self._reading.is_abbreviation(run.first)
        )

    def _is_stop_word(self, index: int) -> bool:
        return is_stop_word(self._reading.word(index), self._reading.language)

    def _is_written_like(self, run: Run, name: str) -> bool:
        """Whether the letter case of these words is one in which this name is written."""
        surface = self._surface(run)
        spelled = spelling(name)
        if spelling(surface) == spelled or self._reading.is_lower_case:
            return True
        if spelled.isupper() and len(spelled) <= ABBREVIATION:
            return False
        return surface[0] == surface[0].upper() and not self._has_ordinary_words(run, name)

    def _has_ordinary_words(self, run: Run, name: str) -> bool:
        """Whether common words are in lower case that have a capital in the name."""
        language = self._reading.language
        return any(
            ours[0].islower() and theirs[0].isupper() and is_common(ours, language)
            for ours, theirs in zip(
                map(self._reading.word, run.indexes),
                (name[slice(*span)] for span in spans_of_words(name)),
                strict=False,
            )
        )

    def _evident(self, names: Sequence[Run]) -> set[str]:
        """The words that are names elsewhere in the text, where letter case tells."""
        reading = self._reading
        return {
            reading.word(index).casefold()
            for run in names
            for index in run.indexes
            if run.first < run.last or index not in reading.unmarked
        }

    def _doubt(self, run: Run, evident: Container[str]) -> float:
        """How likely a name is an ordinary word; see `Mention`."""
        reading = self._reading
        content = [index for index in run.indexes if not self._is_stop_word(index)]
        if run.first < run.last and (len(content) != 1 or not reading.is_lower_case):
            return 0.0
        [index, *_] = content or [run.first]
        word = reading.word(index)
        if (
            index not in reading.unmarked
            or word.casefold() in evident
            or self._is_abbreviation(run)
            or self._is_after_article(run)
            or self._is_possessive(run)
            or reading.is_alone(run)
        ):
            return 0.0
        is_small = word.casefold() in reading.small_words
        is_english = reading.language == Language.ENGLISH
        if is_common(word, reading.language):
            return _SMALL if is_small else _COMMON if is_english else _COMMON_ELSEWHERE
        if is_small:
            return _COMMON
        # The other lists have fewer names.
        return _RATHER_COMMON if is_english and is_rather_common(word, "en") else 0.0

    def _surface(self, run: Run) -> str:
        words = self._reading.words
        return self._reading.text[words[run.first].start : words[run.last].end]

    def _end(self, run: Run) -> int:
        """The end of a name, with the full stop after its last initial."""
        end = self._reading.words[run.last].end
        has_stop = self._reading.text.startswith(".", end)
        return end + (has_stop and bool(_INITIALS.search(self._surface(run))))
