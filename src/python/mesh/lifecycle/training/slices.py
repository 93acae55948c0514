"""Slices of rows, each of which is scored on its own: by domain, language and length."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from mesh.nlp.words import words

_BOUNDS = (0, 10, 25, 50, 100)
"""Numbers of words at which the next slice of lengths begins; the same for all versions."""

_LENGTHS = (
    *(f"{first} to {after - 1} words" for first, after in pairwise(_BOUNDS)),
    f"{_BOUNDS[-1]} words or more",
)


def length_of(text: str) -> str:
    """The slice of a text's length, such as `10 to 24 words`."""
    count = len(words(text))
    return _LENGTHS[sum(count >= bound for bound in _BOUNDS) - 1]


def scores_by_slice(
    rows: Sequence[Any], score: Callable[[Sequence[int]], Mapping[str, float]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The scores of each slice, as `per_domain`, `per_language` and `per_length`.

    Args:
        score: of some rows, by their numbers.

    Returns:
        For each slice its number of rows, beside its scores.
    """
    kinds: dict[str, Callable[[Any], str]] = {
        "per_domain": lambda row: row.domain,
        "per_language": lambda row: row.language,
        "per_length": lambda row: length_of(row.text),
    }
    return {kind: _scored(_grouped(rows, name), score) for kind, name in kinds.items()}


def _grouped(rows: Sequence[Any], name: Callable[[Any], str]) -> dict[str, list[int]]:
    """The numbers of the rows of each slice; lengths in their order, others by their names."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        found[name(row)].append(number)
    order = {length: number for number, length in enumerate(_LENGTHS)}
    return {
        slice_: found[slice_] for slice_ in sorted(found, key=lambda one: (order.get(one, 0), one))
    }


def _scored(
    groups: Mapping[str, Sequence[int]], score: Callable[[Sequence[int]], Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    return {name: {"rows": len(numbers), **score(numbers)} for name, numbers in groups.items()}
