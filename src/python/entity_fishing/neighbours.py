"""Which names in a text are parts of longer names, by the words beside them."""

from collections.abc import Collection, Set

import regex

from entity_fishing.ordinary import is_first_name, is_ordinary, is_stop_word
from entity_fishing.reading import Reading, Run
from entity_fishing.schema import Language

# What stands between the words of a name of a person or place.
_GAP = regex.compile(r" |-")
_AFTER_INITIAL = regex.compile(r"\. ")
# In French, "M." is no initial.
_MISTER = "M"
# Words beside a name that aren't part of it, even with a capital letter.
_TITLES = frozenset(
    "mr mrs ms miss dr president vice chancellor prime minister king queen emperor empress pope prince "
    "princess sir dame ceo cfo chairman chairwoman founder mayor senator congressman governor secretary "
    "general admiral captain sergeant colonel lord lady professor coach justice actor actress singer "
    "republican democrat director pilot judge ambassador commissioner archbishop bishop cardinal attorney "
    "detective officer "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december christmas easter "
    "argentine argentinian australian austrian belgian brazilian canadian chinese european indian "
    "iranian irish israeli japanese korean mexican polish russian swedish swiss turkish ukrainian "
    "président présidente ministre premier première chancelier chancelière roi reine pape empereur madame "
    "monsieur mme mlle maire sénateur général "
    "presidente presidenta ministro ministra canciller rey reina papa emperador señor señora don doña "
    "alcalde senador sr sra srta dra "
    "primo cancelliere cancelliera re regina imperatore signor signora sindaco senatore "
    "primeiro chanceler rei rainha imperador senhor senhora prefeito".split()
)
# Words that make another name of the one that follows.
_FORMING = frozenset(
    "mount mt fort port lake cape bay saint san santa santo st los las el air radio royal real club "
    "lac mont cap baie lago monte monti isla costa rio".split()
)
# The same, unless a person follows.
_FORMING_PLACES = frozenset(
    "new old north south east west northern southern eastern western central upper lower great greater "
    "little british french spanish american german italian dutch portuguese "
    "nouvelle nouveau nueva nuevo nuova nuovo nova novo nord sud est ouest norte sur este oeste ovest sul".split()
)


class Neighbours:
    """The words beside the names of a text.

    Args:
        names: all names that were found, in order.
    """

    def __init__(self, reading: Reading, names: Collection[Run]) -> None:
        self._reading = reading
        self._known = {index for run in names for index in run.indexes}
        self._alone = {run.first for run in names if run.first == run.last}

    def joins(self, run: Run, types: Set[str]) -> bool:
        """Whether a name is part of a longer one.

        Args:
            types: of the entities that have the name.
        """
        return self._joins_before(run, types) or self._joins_after(run)

    def _joins_before(self, run: Run, types: Set[str]) -> bool:
        index = run.first - 1
        if index < 0:
            return False
        reading = self._reading
        word = reading.word(index)
        if index in self._known:
            # "British" has an entity of its own, but "British Honduras" is another place.
            forms = index in self._alone and word.lower() in _FORMING_PLACES
            return forms and types == {"place"} and self._gap(index, _GAP)
        if len(word) == 1 and word.isupper() and self._gap(index, _AFTER_INITIAL):
            return word != _MISTER or reading.language != Language.FRENCH
        if not self._gap(index, _GAP) or not self._may_belong(index):
            return False
        key = word.lower()
        if key in _FORMING or key in _FORMING_PLACES:
            forms = key in _FORMING or types != {"person"}
            return forms and reading.language != Language.GERMAN
        return self._is_name(index)

    def _joins_after(self, run: Run) -> bool:
        index = run.last + 1
        return (
            index < len(self._reading.words)
            and index not in self._known
            and self._gap(run.last, _GAP)
            and self._may_belong(index)
            and self._is_name(index)
        )

    def _may_belong(self, index: int) -> bool:
        """Whether a word may be a part of a name by its letters."""
        reading = self._reading
        word = reading.word(index)
        return word.lower() not in _TITLES and (word[0].isupper() or reading.is_lower_case)

    def _is_name(self, index: int) -> bool:
        """Whether a word seems to be one of a name, and not an ordinary word."""
        reading = self._reading
        word = reading.word(index)
        if is_stop_word(word, reading.language):
            return False
        if index not in reading.unmarked or is_first_name(word):
            return True
        # The lists of ordinary words aren't complete, so the others count only with a capital.
        return (
            reading.language != Language.GERMAN
            and reading.tells_case(*reading.words[index])
            and not is_ordinary(word, reading.language)
        )

    def _gap(self, left: int, gap: "regex.Pattern[str]") -> bool:
        words = self._reading.words
        return bool(gap.fullmatch(self._reading.text, words[left].end, words[left + 1].start))
