"""Finds many phrases in texts, in one pass over each text.

The method is that of Aho and Corasick ("Efficient string matching: an aid to bibliographic search",
1975), over words and single characters instead of bytes.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cached_property
from itertools import accumulate

import regex

from mesh.nlp.segmentation import (
    RUN,
    RUN_CHARACTER,
    SPACELESS_CHARACTER,
    WITHIN_WORD,
    Word,
    core,
    fold,
    has_spaceless,
    segments,
)

_BITS = 32
"""Of a number of a unit; a node's number stands above them."""

_CHARACTER = regex.compile(SPACELESS_CHARACTER, regex.VERSION1)
_UNIT = regex.compile(rf"\s++|{RUN}|{SPACELESS_CHARACTER}|\S\p{{M}}*+", regex.VERSION1)
_JOINED_RUNS = regex.compile(
    # Without the first condition, each character of a long run would begin another search.
    rf"(?<!{RUN_CHARACTER}){RUN}(?:{WITHIN_WORD}{RUN})++",
    regex.VERSION1,
)


class PhraseFinder:
    """Finds phrases as whole words, whatever their case, spelling and white space.

    Args:
        phrases: n texts; one without any character is never found.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._keys: dict[str, int] = {}
        # Node 0 stands for no unit; each other one is a beginning of phrases, by its last unit.
        self._children: dict[int, int] = {}
        self._parents = array("l", [0])
        self._last = array("l", [0])
        self._lengths = array("l", [0])
        self._phrases: defaultdict[int, list[int]] = defaultdict(list)
        for number, phrase in enumerate(phrases):
            if keys := [key for key, _ in _units(phrase.strip())]:
                self._phrases[self._add(keys)].append(number)
        # The node of the longest other beginning of a phrase that a node's units end with, and the
        # nearest one on that way that is a whole phrase; 0 for none.
        self._other = array("l", [0]) * len(self._lengths)
        self._shorter = array("l", [0]) * len(self._lengths)
        self._link()

    def _add(self, keys: Iterable[str]) -> int:
        node = 0
        for key in keys:
            number = self._keys.setdefault(key, len(self._keys))
            child = self._children.setdefault(node << _BITS | number, len(self._lengths))
            if child == len(self._lengths):
                self._parents.append(node)
                self._last.append(number)
                self._lengths.append(self._lengths[node] + 1)
            node = child
        return node

    def _link(self) -> None:
        for node in sorted(range(1, len(self._lengths)), key=self._lengths.__getitem__):
            parent = self._parents[node]
            if parent:
                other = self._step(self._other[parent], self._last[node])
                self._other[node] = other
                self._shorter[node] = self._whole(other)

    def _step(self, node: int, number: int) -> int:
        while node and (node << _BITS | number) not in self._children:
            node = self._other[node]
        return self._children.get(node << _BITS | number, 0)

    def _whole(self, node: int) -> int:
        """The longest whole phrase that a node's units end with, or 0."""
        return node if node in self._phrases else self._shorter[node]

    def longest(self, text: str) -> Iterator[Word]:
        """Yield, for each place of a text where phrases end, the span of the longest one."""
        if not self._phrases:
            return
        read = _Read(text, self._keys)
        for position, node in self._endings(read):
            while node:
                start = read.starts[position + 1 - self._lengths[node]]
                if start not in read.within:
                    yield Word(start, read.starts[position + 1])
                    break
                node = self._shorter[node]

    def contained(self, text: str) -> set[int]:
        """The numbers of the phrases that a text contains."""
        read = _Read(text, self._keys)
        found: set[int] = set()
        # For each phrase that was found, the next shorter one that wasn't: none is looked at twice.
        after: dict[int, int] = {}
        for position, ending in self._endings(read):
            starts, within, lengths = read.starts, read.within, self._lengths
            node = ending
            while node:
                if node in after:
                    node = _next(node, after)
                    continue
                if starts[position + 1 - lengths[node]] not in within:
                    found.update(self._phrases[node])
                    after[node] = self._shorter[node]
                node = self._shorter[node]
        return found

    def _endings(self, read: "_Read") -> Iterator[tuple[int, int]]:
        """Yield the units of a text at which phrases may end, each with the longest one's node."""
        node = 0
        for position, number in enumerate(read.numbers):
            node = self._step(node, number) if number >= 0 else 0
            ending = self._whole(node) if node else 0
            if ending and read.starts[position + 1] not in read.within:
                yield position, ending


class _Read:
    """A text as units; `numbers` has the number of each, or -1 for those of no phrase."""

    def __init__(self, text: str, keys: dict[str, int]) -> None:
        units = _units(text)
        self.numbers = [keys.get(key, -1) for key, _ in units]
        self.starts = [*(start for _, start in units), len(text)]
        self._text = text

    @cached_property
    def within(self) -> Set[int]:
        """See `_within_words`; few texts have a phrase, so it is made when it is needed."""
        return _within_words(self._text)


def _next(node: int, after: dict[int, int]) -> int:
    passed = []
    while node in after:
        passed.append(node)
        node = after[node]
    after.update(dict.fromkeys(passed, node))
    return node


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
    if has_spaceless(text):
        for match in _CHARACTER.finditer(text):
            within.update(match.span())
        within.difference_update((len(text), *(start for start, _ in segments(text))))
    for match in _JOINED_RUNS.finditer(text):
        start, (first, last) = match.start(), core(match[0])
        within.update(range(start + 1, start + first - 1))
        within.update(range(start + first + 1, start + last))
        within.update(range(start + last + 1, match.end()))
    return within
