"""Rows of the same or nearly the same text: those to drop, and those that must stay together."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mesh.data.dataset import TextRow
from mesh.nlp.near_duplicates import clusters, shingles, similar_pairs
from mesh.nlp.words import words

Row = TypeVar("Row", bound=TextRow)

SHINGLE_WORDS = 2
"""With word pairs, two sentences of 10 words that differ in one word have a similarity of 0.64."""


@dataclass(frozen=True)
class Duplicates:
    """Rows that resemble one another, by their positions.

    Args:
        conflicting: rows whose text occurs with different annotations.
        same: rows to drop, each with the earlier row of the same text.
        near: rows to drop, each with the earlier row of nearly the same text.
        clusters: the cluster of each row, named by its earliest member.
    """

    conflicting: frozenset[int]
    same: dict[int, int]
    near: dict[int, int]
    clusters: list[int]


def find_duplicates(rows: Sequence[TextRow], near: float, related: float) -> Duplicates:
    """Compare all rows with one another.

    Texts are the same if their words are; their similarity is that of their sets of word pairs, by
    Jaccard.

    Args:
        near: similarity from which one of two rows with equal annotations is dropped.
        related: similarity from which rows belong to one cluster, at most `near`.
    """
    tokens = [words(row.text) or [row.text] for row in rows]
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, found in enumerate(tokens):
        groups[tuple(found)].append(position)
    conflicting: set[int] = set()
    same: dict[int, int] = {}
    for first, *others in groups.values():
        if any(rows[other].annotation != rows[first].annotation for other in others):
            conflicting.update((first, *others))
        else:
            same |= dict.fromkeys(others, first)
    kept = [
        position
        for position in range(len(rows))
        if position not in conflicting and position not in same
    ]
    sets = [shingles(tokens[position], SHINGLE_WORDS, keep_short=True) for position in kept]
    pairs = [
        (kept[left], kept[right], similarity)
        for left, right, similarity in similar_pairs(sets, related)
    ]
    return Duplicates(
        frozenset(conflicting),
        same,
        _near_duplicates(rows, pairs, near),
        clusters(len(rows), _joined(pairs, same)),
    )


def _near_duplicates(
    rows: Sequence[TextRow], pairs: Sequence[tuple[int, int, float]], near: float
) -> dict[int, int]:
    """The rows to drop: each is near to an earlier one that stays."""
    found: dict[int, int] = {}
    for earlier, later, similarity in pairs:
        if (
            similarity >= near
            and earlier not in found
            and later not in found
            and rows[earlier].annotation == rows[later].annotation
        ):
            found[later] = earlier
    return found


def _joined(
    pairs: Sequence[tuple[int, int, float]], same: dict[int, int]
) -> Iterator[tuple[int, int, float]]:
    yield from pairs
    yield from ((first, other, 1.0) for other, first in same.items())
