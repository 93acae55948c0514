"""Rows of the same or nearly the same text: which are left out, and which must stay together."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mesh.data.rows import TextRow
from mesh.nlp.near_duplicates import clusters, similar_pairs
from mesh.nlp.words import shingles, words

Row = TypeVar("Row", bound=TextRow)

SHINGLE_WORDS = 2
"""With pairs of words, a sentence of 10 words and one that differs in one of them have a similarity of 0.64."""


@dataclass(frozen=True)
class Comparison:
    """What comparing rows has shown, by their positions.

    Args:
        conflicting: rows whose text occurs with different annotations.
        duplicates: rows that an earlier one makes superfluous, and which.
        near_duplicates: the same, where the texts are only nearly the same.
        clusters: the cluster of each row, named by its earliest member.
    """

    conflicting: frozenset[int]
    duplicates: dict[int, int]
    near_duplicates: dict[int, int]
    clusters: list[int]


def compare(rows: Sequence[TextRow], near: float, related: float) -> Comparison:
    """Compare all rows with one another.

    Texts are the same if they have the same words, and as similar as their sets of word pairs are by Jaccard.

    Args:
        near: similarity from which a row of the same annotation is superfluous.
        related: similarity from which rows belong to one cluster, at most `near`.
    """
    tokens = [words(row.text) or [row.text] for row in rows]
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, found in enumerate(tokens):
        groups[tuple(found)].append(position)
    conflicting: set[int] = set()
    duplicates: dict[int, int] = {}
    for first, *others in groups.values():
        if any(rows[other].annotation != rows[first].annotation for other in others):
            conflicting.update((first, *others))
        else:
            duplicates |= dict.fromkeys(others, first)
    kept = [
        position
        for position in range(len(rows))
        if position not in conflicting and position not in duplicates
    ]
    sets = [shingles(tokens[position], SHINGLE_WORDS) for position in kept]
    pairs = [
        (kept[left], kept[right], similarity)
        for left, right, similarity in similar_pairs(sets, related)
    ]
    return Comparison(
        frozenset(conflicting),
        duplicates,
        _near_duplicates(rows, pairs, near),
        clusters(len(rows), _joined(pairs, duplicates)),
    )


def _near_duplicates(
    rows: Sequence[TextRow], pairs: Sequence[tuple[int, int, float]], near: float
) -> dict[int, int]:
    """The rows to leave out: each is near to an earlier one that stays."""
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
    pairs: Sequence[tuple[int, int, float]], duplicates: dict[int, int]
) -> Iterator[tuple[int, int, float]]:
    yield from pairs
    yield from ((first, other, 1.0) for other, first in duplicates.items())
