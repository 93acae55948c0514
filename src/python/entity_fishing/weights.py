"""How likely an entity is meant by a name, by everything but what its description says.

The weights were chosen on tests/python/entity_fishing/data/sentences.json and on the
development part of AIDA CoNLL-YAGO.
"""

from collections.abc import Collection

import regex

from entity_fishing.knowledge import Candidate
from entity_fishing.knowledge_file import NameKind
from entity_fishing.linker import Mention
from entity_fishing.names import ABBREVIATION, spelling, without_accents
from entity_fishing.ordinary import is_first_name, is_frequent_last_name
from entity_fishing.reading import Reading
from entity_fishing.sports import is_placed, sport_of_team, sports_of

_POPULARITY = 4.0
_ALIAS = -1.0
_OTHER_CASE = -1.0
# A part of a longer name: its beginning or end, and words within it.
_PART = -4.0
_INNER_PART = -8.0
_NAMED = 6.0
# The weight of no entity, which a candidate must exceed; a single word is often something else,
# but less often where no person has the name of a place or an organisation.
_NOTHING = 2.0
_NOTHING_ONE_WORD = 4.0
_ONE_WORD = {"place": 1.5, "organisation": 0.8, "person": 0.5, "other": 0.0}
# Alone, a last name that many have.
_FREQUENT_LAST_NAME = -1.0
# Behind a word that describes the entity: "President".
_TITLE = 1.0
# A person, and a place, where the words around the name speak of a place.
_IN_PERSON = -2.0
_IN_PLACE = 1.0
# Behind the first name of somebody else.
_OTHER_PERSON = -4.0
# A city in the region that is named behind it, and one elsewhere.
_REGION = 2.0
_OTHER_REGION = -3.0
# A language, which has the name of a people, where a text speaks of languages, and elsewhere.
_LANGUAGE_MEANT = 4.0
_NO_LANGUAGE = -2.0
# A team where a text reports on its sport, where it reports on none, and where it reports on
# another one or a place is meant.
_TEAM = 3.0
_NO_SPORT = -1.5
_NO_TEAM = -6.0
# A place where a team must be meant.
_NO_PLACE = -6.0
# Shorter words in capitals are rather abbreviations.
_SHORT = 3
# Letters of the words before a name that tell of a language.
_LONGEST = 12

_LANGUAGE = regex.compile(r"(?<!programming )\blanguage\b")
# A word that a language follows, and what follows it: "speaks German", "in German."
_SPEAKING = regex.compile(
    r"\b(?:speak|speaks|speaking|spoke|spoken|learn|learns|learnt|learned|learning|teach|teaches|"
    r"taught|fluent|in|into|from) $",
    regex.IGNORECASE,
)
_AFTER_LANGUAGE = regex.compile(r" ?(?:[.,;:!?)]|$|fluently|well|at)")
_OF_LANGUAGE = regex.compile(
    r"[ -](?:languages?|lessons?|words?|grammar|dialects?|translations?|speak\w*|version)\b"
)
_CITY = regex.compile(r"\b(?:city|capital|town|municipality|village|commune|seat|port)\b")
_REGION_OF = regex.compile(
    r"(?:\w+ ){0,2}(?:country|state|province|region|county|island|republic)\b"
)


class Weights:
    """The weights of the candidates for the names of a text."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._sports = sports_of(reading)

    def weight(
        self, candidate: Candidate, mention: Mention, *, is_named: bool, is_shared: bool
    ) -> float:
        """The weight of a candidate for a name.

        Args:
            is_named: whether the text names the candidate in full somewhere.
            is_shared: whether a person has the name too.
        """
        surface = self._surface(mention)
        weight = _POPULARITY * candidate.popularity
        weight += _NAMED * (is_named and _is_edge(surface, candidate))
        weight += self._by_name(candidate, mention, surface, is_shared=is_shared)
        weight += self._by_word_before(candidate, mention, surface)
        if candidate.kind is not NameKind.DEMONYM:
            weight += self._by_place(candidate, mention)
        if candidate.kind is NameKind.LABEL and _LANGUAGE.search(candidate.description):
            weight += _LANGUAGE_MEANT if self._is_language(mention) else _NO_LANGUAGE
        return weight

    def in_region(self, candidate: Candidate, regions: Collection[str]) -> float:
        """What the region behind the name of a city says: "Paris, Texas"."""
        is_city = candidate.type == "place" and _CITY.search(candidate.description)
        if not regions or not is_city or is_region(candidate):
            return 0.0
        described = f"{candidate.label} {candidate.description}"
        return _REGION if any(region in described for region in regions) else _OTHER_REGION

    def may_be(self, candidate: Candidate) -> bool:
        """Whether a doubtful name may stand for a candidate: for a team only in its sport."""
        sport = sport_of_team(candidate.description)
        return sport is None or sport in self._sports or candidate.kind is NameKind.LABEL

    def _by_name(
        self, candidate: Candidate, mention: Mention, surface: str, *, is_shared: bool
    ) -> float:
        if not candidate.is_whole:
            return _PART if _is_edge(surface, candidate) else _INNER_PART
        is_demonym = candidate.kind is NameKind.DEMONYM
        weight = 0.0
        if not _is_spelled(surface, candidate.name):
            if self._reading.tells_case(mention.start, mention.end):
                weight += _OTHER_CASE
        elif not (_is_certain(surface) or mention.doubt):
            kind = "place" if is_demonym else candidate.type
            weight += 0.0 if is_shared and kind != "person" else _ONE_WORD[kind]
        # "Washington" is as usual as "Washington, D.C.".
        if candidate.kind is NameKind.ALIAS and not candidate.label.startswith(f"{surface},"):
            weight += _ALIAS
            if candidate.type == "person" and is_frequent_last_name(surface):
                weight += _FREQUENT_LAST_NAME
        return weight

    def _by_word_before(self, candidate: Candidate, mention: Mention, surface: str) -> float:
        """What the first name of somebody else or a title before a name says."""
        index = self._reading.index(mention.start) - 1
        if index < 0 or " " in surface:
            return 0.0
        word = self._reading.word(index)
        gap = self._reading.text[self._reading.words[index].end : mention.start]
        if gap != " " or not word[:1].isupper():
            return 0.0
        if is_first_name(word):
            return _OTHER_PERSON * (word.lower() not in candidate.label.lower())
        is_title = len(word) > _SHORT and word.lower() in candidate.description.lower().split()
        return _TITLE * (is_title and candidate.type == "person")

    def _by_place(self, candidate: Candidate, mention: Mention) -> float:
        """What a text about a team sport says, and words that speak of a place."""
        is_place = is_placed(self._reading, mention.start, mention.end)
        if candidate.type == "person":
            return _IN_PERSON * is_place
        if sport := sport_of_team(candidate.description):
            return self._by_sport(candidate, sport, is_place=is_place)
        if candidate.type != "place":
            return 0.0
        return _IN_PLACE if is_place else _NO_PLACE * bool(self._sports)

    def _by_sport(self, candidate: Candidate, sport: str, *, is_place: bool) -> float:
        is_on = sport in self._sports
        if candidate.kind is NameKind.LABEL:
            return _TEAM * is_on
        if is_place:
            return _NO_TEAM
        if not candidate.is_whole:
            return 0.0
        return _TEAM if is_on else _NO_TEAM if self._sports else _NO_SPORT

    def _is_language(self, mention: Mention) -> bool:
        """Whether the words around the name speak of a language."""
        text, start, end = self._reading.text, mention.start, mention.end
        if _OF_LANGUAGE.match(text, end):
            return True
        before = text[max(0, start - _LONGEST) : start]
        return bool(_SPEAKING.search(before) and _AFTER_LANGUAGE.match(text, end))

    def _surface(self, mention: Mention) -> str:
        return self._reading.text[mention.start : mention.end]


def is_region(candidate: Candidate) -> bool:
    """Whether cities may be in an entity: a country, a state and the like."""
    return candidate.type == "place" and bool(_REGION_OF.match(candidate.description))


def _is_spelled(surface: str, name: str) -> bool:
    """Whether a name is written as usual, or in capitals where only other words aren't."""
    ours, theirs = without_accents(spelling(surface)), without_accents(spelling(name))
    return ours == theirs or (len(ours) > _SHORT and ours == theirs.upper())


def _is_edge(surface: str, candidate: Candidate) -> bool:
    """Whether a short name is the beginning or the end of the full one."""
    name, part = candidate.name.casefold(), surface.casefold()
    return candidate.is_whole or name.startswith(part) or name.endswith(part)


def _is_certain(name: str) -> bool:
    """Whether a name has several words or is an abbreviation, and so is little else."""
    return " " in name or (name.isupper() and len(spelling(name)) <= ABBREVIATION)


def weight_of_nothing(name: str) -> float:
    """How likely a name stands for no entity that is known."""
    return _NOTHING if _is_certain(name) else _NOTHING_ONE_WORD
