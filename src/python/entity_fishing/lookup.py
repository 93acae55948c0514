"""Looks the runs of words of a text up in a knowledge base.

Runs that begin with a word of Latin letters go on only as long as a name begins with them, so few of
them are looked up at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Protocol

import regex

from entity_fishing.knowledge import Candidate
from entity_fishing.names import is_simple_word, name_key, without_place
from entity_fishing.reading import Reading, Run
from mesh.core.passes import checkpoint
from mesh.nlp.normal_form import PLAIN_FORMS

MAX_WORDS = 8
"""Most words of a name. In Chinese and Japanese every character counts as one."""
MAX_LOWER_CASE_WORDS = 3
"""The same for names in lower case, which are short; most runs of words begin so."""

# Between the words of a name only a few characters may stand.
_GAP = regex.compile(r" ?[&'./+-]? ?|, ")
# Gaps that no key is without.
_KEPT_GAPS = (" ", ", ")


class Names(Protocol):
    """The names of a knowledge base, by their keys; see `entity_fishing.names.name_key`."""

    def find(self, keys: Iterable[str], language: str) -> Mapping[str, Sequence[Candidate]]:
        """The entities with each of these keys, which some has."""

    def begun(self, beginnings: Iterable[str]) -> Set[str]:
        """Those of these beginnings that the key of some name has."""


class _Open(NamedTuple):
    """A run that may go on.

    Args:
        beginning: what the keys of the runs that it begins begin with.
        is_simple: whether that is all of its own key, but for `without_place`.
    """

    run: Run
    beginning: str
    is_simple: bool


class Lookup:
    """The runs of words of a text that a knowledge base has, and their candidates."""

    def __init__(self, reading: Reading, names: Names) -> None:
        self._reading = reading
        self._names = names
        self._words = list(map(reading.word, range(len(reading.words))))
        self._keys = {word: name_key(word) for word in filter(is_simple_word, set(self._words))}
        # By what stands in the text, which repeats itself.
        keys: dict[str, str] = {}
        begun: defaultdict[int, list[Run]] = defaultdict(list)
        for run, key in self._runs_of_simple_words():
            begun[run.first].append(run)
            surface = self._surface(run)
            if surface not in keys:
                keys[surface] = name_key(surface) if key is None else key
        for first in range(len(self._words)):
            if not self._simple[first]:
                for surface in map(self._surface, self._all_runs(first)):
                    if surface not in keys:
                        keys[surface] = name_key(surface)
        found = names.find(set(keys.values()), reading.language)
        self._candidates: Mapping[str, Sequence[Candidate]] = {
            surface: candidates for surface, key in keys.items() if (candidates := found.get(key))
        }
        self._begun = begun

    def runs(self, first: int) -> Sequence[Run]:
        """The runs from a word on that the knowledge base has, the shortest first."""
        runs = self._begun[first] if self._simple[first] else self._all_runs(first)
        return [run for run in runs if self._surface(run) in self._candidates]

    def candidates(self, run: Run) -> Sequence[Candidate]:
        """The entities with the name that a run is."""
        return self._candidates.get(self._surface(run), ())

    def _all_runs(self, first: int) -> Iterator[Run]:
        """The runs from a word on that are short enough for a name, the shortest first."""
        checkpoint()
        run = Run(first, first)
        yield run
        while self._may_go_on(run):
            run = Run(first, run.last + 1)
            yield run

    def _runs_of_simple_words(self) -> Iterator[tuple[Run, str | None]]:
        """Yield the runs from simple words on that the knowledge base may have, the shortest first.

        Each has its key, or None where not all of it is simple.
        """
        going_on = [
            _Open(Run(index, index), self._keys[word], is_simple=True)
            for index, word in enumerate(self._words)
            if self._simple[index]
        ]
        while going_on:
            for run, beginning, is_simple in going_on:
                yield run, without_place(beginning) if is_simple else None
            going_on = list(self._longer(going_on))

    def _longer(self, runs: Sequence[_Open]) -> Iterator[_Open]:
        """The runs with one more word, but those that no name begins with."""
        checkpoint()
        wanted = [(each, self._asked(each)) for each in runs if self._may_go_on(each.run)]
        begun = self._names.begun({asked for _, asked in wanted})
        for (run, beginning, is_simple), asked in wanted:
            if asked not in begun:
                continue
            last = run.last + 1
            longer = Run(run.first, last)
            if is_simple and self._simple[last] and self._is_joined_simply(run.last):
                joined = f"{beginning}{self._gaps[run.last]}{self._keys[self._words[last]]}"
                yield _Open(longer, joined, is_simple=True)
            else:
                yield _Open(longer, beginning, is_simple=False)

    def _asked(self, each: _Open) -> str:
        """What the keys of a run with more words begin with."""
        last = each.run.last
        gap = self._gaps[last]
        is_kept = each.is_simple and gap in _KEPT_GAPS and self._simple[last + 1]
        return f"{each.beginning}{gap}" if is_kept else each.beginning

    def _may_go_on(self, run: Run) -> bool:
        """Whether a run with one more word may be a name."""
        is_short = self._words[run.first][0].islower() and not self._reading.is_lower_case
        count = MAX_LOWER_CASE_WORDS if is_short else MAX_WORDS
        return len(run.indexes) < count and self._gaps[run.last] is not None

    @cached_property
    def _gaps(self) -> Sequence[str | None]:
        """What stands behind each word, in its plain form; None where no name goes on."""
        text, words = self._reading.text, self._reading.words
        gaps: list[str | None] = []
        for word, following in pairwise(words):
            gap = text[word.end : following.start]
            if gap != " ":
                gap = gap.translate(PLAIN_FORMS)
            gaps.append(gap if gap == " " or _GAP.fullmatch(gap) else None)
        return [*gaps, None]

    @cached_property
    def _simple(self) -> Sequence[bool]:
        """Whether each word has the same key in all runs, and is apart from what follows."""
        return [
            word in self._keys and gap != ""
            for word, gap in zip(self._words, self._gaps, strict=True)
        ]

    def _is_joined_simply(self, index: int) -> bool:
        """Whether a gap stays as it is in each key: not around "&", nor behind an initial."""
        gap = self._gaps[index] or ""
        is_initial = "." in gap and len(self._words[index]) == 1
        return not ("&" in gap or "  " in gap or is_initial)

    def _surface(self, run: Run) -> str:
        words = self._reading.words
        return self._reading.text[words[run.first].start : words[run.last].end]
