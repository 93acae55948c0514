"""Finds many phrases in texts, in one pass over each text.

The method is that of Aho and Corasick ("Efficient string matching: an aid to bibliographic search",
1975), over words and single characters instead of bytes.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import accumulate
from typing import NamedTuple

import regex

from mesh.nlp.segmentation import (
    RUN,
    RUN_CHARACTER,
    SPACELESS_CHARACTER,
    WITHIN_WORD,
    core,
    fold,
    is_spaceless,
    segments,
)

_CHARACTER = regex.compile(SPACELESS_CHARACTER, regex.VERSION1)
_UNIT = regex.compile(rf"\s++|{RUN}|{SPACELESS_CHARACTER}|\S\p{{M}}*+", regex.VERSION1)
_JOINED_RUNS = regex.compile(
    # Without the first condition, each character of a long run would begin another search.
    rf"(?<!{RUN_CHARACTER}){RUN}(?:{WITHIN_WORD}{RUN})++",
    regex.VERSION1,
)


class Found(NamedTuple):
    """An occurrence of phrases that are equal but for case and spelling: `text[start:end]`."""

    phrases: list[int]
    start: int
    end: int


class PhraseFinder:
    """Finds phrases as whole words, whatever their case, spelling and white space.

    Args:
        phrases: n texts; one without any character is never found.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._lengths = array("l", [0])
        self._phrases: defaultdict[int, list[int]] = defaultdict(list)
        for number, phrase in enumerate(phrases):
            if keys := [key for key, _ in _units(phrase.strip())]:
                self._phrases[self._add(keys)].append(number)
        # The node of the longest other beginning of a phrase that a node's units end with, and the
        # nearest one on that way that is a whole phrase; 0 for none.
        self._other = array("l", [0]) * len(self._next)
        self._shorter = array("l", [0]) * len(self._next)
        self._link()

    def _add(self, keys: Iterable[str]) -> int:
        node = 0
        for key in keys:
            child = self._next[node].get(key)
            if child is None:
                child = self._next[node][key] = len(self._next)
                self._next.append({})
                self._lengths.append(self._lengths[node] + 1)
            node = child
        return node

    def _link(self) -> None:
        queue = list(self._next[0].values())
        for node in queue:
            for key, child in self._next[node].items():
                other = self._step(self._other[node], key)
                self._other[child] = other
                self._shorter[child] = other if other in self._phrases else self._shorter[other]
                queue.append(child)

    def _step(self, node: int, key: str) -> int:
        while node and key not in self._next[node]:
            node = self._other[node]
        return self._next[node].get(key, 0)

    def find(self, text: str) -> Iterator[Found]:
        """Yield the occurrences in a text, in the order of their ends; the longest first."""
        if not self._phrases:
            return
        first = self._next[0]
        units = _units(text)
        starts = [start for _, start in units] + [len(text)]
        within: Set[int] | None = None
        node = 0
        for position, (key, _) in enumerate(units):
            if not node and key not in first:
                continue
            node = self._step(node, key)
            ending = node if node in self._phrases else self._shorter[node]
            if ending and within is None:
                within = _within_words(text)
            end = starts[position + 1]
            while ending and within is not None and end not in within:
                start = starts[position + 1 - self._lengths[ending]]
                if start not in within:
                    yield Found(self._phrases[ending], start, end)
                ending = self._shorter[ending]


def _units(text: str) -> list[tuple[str, int]]:
    """The runs of letters and digits, the other characters, and the gaps of a text.

    Each is given in the form of `fold`, with its start.
    """
    units = _UNIT.findall(text)
    keys = {unit: " " if unit.isspace() else fold(unit) for unit in set(units)}
    starts = accumulate(map(len, units), initial=0)
    return [(key, start) for unit, start in zip(units, starts, strict=False) if (key := keys[unit])]


def _within_words(text: str) -> Set[int]:
    """The positions at which no word begins or ends, though a run of letters may."""
    within: set[int] = set()
    if is_spaceless(text):
        for match in _CHARACTER.finditer(text):
            within.update(match.span())
        within.difference_update((len(text), *(start for start, _ in segments(text))))
    for match in _JOINED_RUNS.finditer(text):
        start, (first, last) = match.start(), core(match[0])
        within.update(range(start + 1, start + first - 1))
        within.update(range(start + first + 1, start + last))
        within.update(range(start + last + 1, match.end()))
    return within
