"""Rows of the same or nearly the same text: those to drop, and those that must stay together."""

import unicodedata
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
        conflicting: rows whose text occurs with other annotations, each with a row that has one.
        same: rows to drop, each with the earlier row of the same text.
        near: rows to drop, each with the earlier row of nearly the same text.
        clusters: the cluster of each row, named by its earliest member.
    """

    conflicting: dict[int, int]
    same: dict[int, int]
    near: dict[int, int]
    clusters: list[int]


def find_duplicates(rows: Sequence[TextRow], near: float, related: float) -> Duplicates:
    """Compare all rows with one another.

    Texts are the same if they differ in nothing but case, white space and Unicode forms; their
    similarity is that of their sets of word pairs, by Jaccard. Texts of the same words that differ
    in a sign, such as C and C++, are related, but none of them is dropped.

    Args:
        near: similarity from which one of two rows with equal annotations is dropped.
        related: similarity from which rows belong to one cluster, at most `near`.
    """
    tokens = [words(row.text) or [row.text] for row in rows]
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        groups[_same_form(row.text)].append(position)
    conflicting: dict[int, int] = {}
    same: dict[int, int] = {}
    for first, *others in groups.values():
        other = next((each for each in others if _differ(rows[first], rows[each])), None)
        if other is None:
            same |= dict.fromkeys(others, first)
        else:
            conflicting[first] = other
            conflicting |= {
                each: first if _differ(rows[first], rows[each]) else other for each in others
            }
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
    dropped = [pair for pair in pairs if pair[2] >= near and tokens[pair[0]] != tokens[pair[1]]]
    return Duplicates(
        conflicting,
        same,
        _near_duplicates(rows, dropped),
        clusters(len(rows), _joined(pairs, same)),
    )


def _near_duplicates(
    rows: Sequence[TextRow], pairs: Sequence[tuple[int, int, float]]
) -> dict[int, int]:
    """The rows to drop: each is near to an earlier one that stays."""
    found: dict[int, int] = {}
    for earlier, later, _ in pairs:
        is_kept = earlier not in found and later not in found
        if is_kept and not _differ(rows[earlier], rows[later]):
            found[later] = earlier
    return found


def _joined(
    pairs: Sequence[tuple[int, int, float]], same: dict[int, int]
) -> Iterator[tuple[int, int, float]]:
    yield from pairs
    yield from ((first, other, 1.0) for other, first in same.items())


def _same_form(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _differ(left: TextRow, right: TextRow) -> bool:
    return left.annotation != right.annotation
