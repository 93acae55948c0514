"""How likely an entity is meant by a name, by everything but what its description says.

The weights were chosen on tests/python/entity_fishing/data/sentences.json and on news with links.
"""

import regex

from entity_fishing.knowledge import Candidate
from entity_fishing.knowledge_file import NameKind
from entity_fishing.names import ABBREVIATION, spelling, without_accents
from entity_fishing.ordinary import is_frequent_last_name
from entity_fishing.reading import Reading
from entity_fishing.sports import is_placed, sport_of_team, sports_of

_POPULARITY = 4.0
_ALIAS = -1.0
_OTHER_CASE = -1.0
_PART = -4.0
_NAMED = 6.0
# The weight of no entity, which a candidate must exceed; a single word is often something else,
# but less often where it is the name of a place or an organisation.
_NOTHING = 2.0
_NOTHING_ONE_WORD = 4.0
_ONE_WORD = {"place": 1.5, "organisation": 0.5, "person": 0.75, "other": 0.5}
# Alone, a last name that many have.
_FREQUENT_LAST_NAME = -2.0
# A language, which has the name of a people, where a text doesn't speak of languages.
_NO_LANGUAGE = -2.0
# A team where a text reports on its sport, and one where it doesn't or where a place is meant.
_TEAM = 3.0
_NO_TEAM = -4.0
# A place where a team must be meant.
_NO_PLACE = -4.0
# Shorter words in capitals are rather abbreviations.
_SHORT = 3


_LANGUAGE = regex.compile(r"(?<!programming )\blanguage\b")
_ABOUT_LANGUAGES = regex.compile(
    r"\b(?:languages?|speak(?:s|ers?|ing)?|spoken?|fluent(?:ly)?|translat\w+|dialects?|words?|"
    r"grammar|vocabulary|pronounce[ds]?|lessons?|(?:in|into|from|learn|learned|learnt|learning) "
    r"(?=\p{Lu}\p{L}+(?:[.,;:!?]|$| and )))",
    regex.IGNORECASE,
)


class Weights:
    """The weights of the candidates for the names of a text."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._sports = sports_of(reading)

    def weight(self, candidate: Candidate, start: int, end: int, *, is_named: bool) -> float:
        """The weight of a candidate for the name at a place of the text.

        Args:
            is_named: whether the text names the candidate in full somewhere.
        """
        surface = self._reading.text[start:end]
        weight = _POPULARITY * candidate.popularity + _NAMED * is_named
        weight += self._by_name(candidate, surface, start, end)
        if candidate.kind is not NameKind.DEMONYM:
            weight += self._by_sport(candidate, start, end)
        if candidate.kind is NameKind.LABEL and _LANGUAGE.search(candidate.description):
            weight += 0 if self._is_about_languages(start, end) else _NO_LANGUAGE
        return weight

    def _is_about_languages(self, start: int, end: int) -> bool:
        sentence = self._reading.text[slice(*self._reading.context(start, end))]
        return bool(_ABOUT_LANGUAGES.search(sentence))

    def _by_name(self, candidate: Candidate, surface: str, start: int, end: int) -> float:
        if not candidate.is_whole:
            return _PART
        is_spelled = _is_spelled(surface, candidate.name)
        weight = 0.0
        if not is_spelled and self._reading.tells_case(start, end):
            weight += _OTHER_CASE
        elif not is_certain(surface):
            is_demonym = candidate.kind is NameKind.DEMONYM
            weight += _ONE_WORD["place" if is_demonym else candidate.type]
        if candidate.kind is NameKind.ALIAS:
            weight += _ALIAS
            if candidate.type == "person" and is_frequent_last_name(surface):
                weight += _FREQUENT_LAST_NAME
        return weight

    def _by_sport(self, candidate: Candidate, start: int, end: int) -> float:
        sport = None if candidate.type == "person" else sport_of_team(candidate.description)
        if sport is None and (candidate.type != "place" or not self._sports):
            return 0.0
        is_place = is_placed(self._reading, start, end)
        if sport is None:
            return 0.0 if is_place else _NO_PLACE
        if candidate.kind is NameKind.LABEL or not candidate.is_whole:
            return _TEAM * (sport in self._sports and candidate.is_whole)
        return _TEAM if sport in self._sports and not is_place else _NO_TEAM


def _is_spelled(surface: str, name: str) -> bool:
    """Whether a name is written as usual, or in capitals where only other words aren't."""
    ours, theirs = without_accents(spelling(surface)), without_accents(spelling(name))
    return ours == theirs or (len(ours) > _SHORT and ours == theirs.upper())


def is_certain(name: str) -> bool:
    """Whether a name has several words or is an abbreviation, and so is little else."""
    return " " in name or (name.isupper() and len(spelling(name)) <= ABBREVIATION)


def weight_of_nothing(name: str) -> float:
    """How likely a name stands for no entity that is known."""
    return _NOTHING if is_certain(name) else _NOTHING_ONE_WORD
