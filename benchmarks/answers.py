"""Compares the answers of two implementations with the same weights."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mesh.core.errors import MeshError

SCORE_TOLERANCE = 1e-3
TIE = 1.01e-4
"""Equal scores of two implementations, rounded to four digits, can differ by this much."""
LEAST_EQUAL = 0.95
"""The share of texts with the same entities: a pipeline reads tags in another way than ner, which
lets no name begin or end with a mark, or go on where none began."""

Keywords = list[tuple[str, float]]
"""The keywords of a document with their scores, best first."""


class Entity(NamedTuple):
    """A name in a text, and its score."""

    label: str
    start: int
    end: int
    score: float


LOWER_TOLERANCE = 5e-3
"""Of scores in a lower precision than float32."""
LOWER_SHARE = 0.99
"""Of documents whose keywords must be the same in a lower precision."""
LOWER_TEXTS = 0.9
"""Of texts with the same entities, or the same label, in a lower precision. Whether a precision may
be used at all, the scores decide that `compile:validate` compares."""


def check_nearly_same(expected: Sequence[Keywords], actual: Sequence[Keywords], name: str) -> str:
    """Compare keywords in a lower precision with KeyBERT's, document by document.

    Returns:
        How many documents have the same keywords, in any order, as a sentence.

    Raises:
        MeshError: those are too few, or a score differs too much.
    """
    pairs = [(dict(theirs), dict(own)) for theirs, own in zip(expected, actual, strict=True)]
    same = [theirs.keys() == own.keys() for theirs, own in pairs]
    worst = max(
        (
            abs(own[keyword] - score)
            for theirs, own in pairs
            for keyword, score in theirs.items()
            if keyword in own
        ),
        default=0.0,
    )
    sentence = (
        f"{name!r} finds the same keywords as KeyBERT in {sum(same)} of {len(same)} documents, "
        f"with scores within {worst:.4f}."
    )
    if sum(same) < LOWER_SHARE * len(same) or worst > LOWER_TOLERANCE:
        different = [
            f"{own} instead of {theirs}" for theirs, own in pairs if theirs.keys() != own.keys()
        ]
        raise MeshError(f"{sentence} {'; '.join(different[:1])}")
    return sentence


def check_same(expected: Keywords, actual: Keywords, name: str) -> None:
    """Compare keywords with KeyBERT's; a different order is allowed only for tied scores.

    Raises:
        MeshError: they differ.
    """
    scores = dict(expected)
    same = len(expected) == len(actual) and all(
        abs(own - score) <= (SCORE_TOLERANCE if found == keyword else TIE)
        and abs(own - scores.get(found, score)) <= SCORE_TOLERANCE
        for (keyword, score), (found, own) in zip(expected, actual, strict=True)
    )
    if not same:
        raise MeshError(f"{name!r} finds {actual}, but KeyBERT finds {expected}.")


def check_entities(
    name: str, expected: Sequence[Sequence[Entity]], actual: Sequence[Sequence[Entity]]
) -> None:
    """Compare the entities of texts: places, types, and scores within `SCORE_TOLERANCE`.

    Raises:
        MeshError: fewer than `LEAST_EQUAL` of the texts have the same.
    """
    differing = [
        (theirs, own)
        for theirs, own in zip(expected, actual, strict=True)
        if places(theirs) != places(own)
        or any(
            abs(one.score - other.score) > SCORE_TOLERANCE
            for one, other in zip(theirs, own, strict=True)
        )
    ]
    if len(differing) > (1 - LEAST_EQUAL) * len(expected):
        theirs, own = differing[0]
        raise MeshError(
            f"{name!r} finds other entities in {len(differing)} of {len(expected)} texts, such as "
            f"{own} instead of {theirs}."
        )


def check_sentiments(
    name: str, expected: Sequence[Mapping[str, float]], actual: Sequence[Mapping[str, float]]
) -> None:
    """Compare the probabilities of labels, within `SCORE_TOLERANCE`.

    Raises:
        MeshError: they differ.
    """
    for theirs, own in zip(expected, actual, strict=True):
        if theirs.keys() != own.keys() or any(
            abs(theirs[label] - own[label]) > SCORE_TOLERANCE for label in own
        ):
            raise MeshError(f"{name!r} finds {own} instead of {theirs}.")


def places(entities: Sequence[Entity]) -> list[tuple[str, int, int]]:
    """What entities say, without their scores."""
    return [each[:3] for each in entities]


def label(probabilities: Mapping[str, float]) -> str:
    """The most probable label."""
    return max(probabilities, key=probabilities.__getitem__)


def check_most_same(
    name: str, what: str, expected: Sequence[object], actual: Sequence[object]
) -> str:
    """Compare answers in a lower precision than float32, without their scores.

    Args:
        what: names them to people, such as `entities`.

    Returns:
        How many texts have the same one, as a sentence.

    Raises:
        MeshError: fewer than `LOWER_TEXTS` of them.
    """
    same = [theirs == own for theirs, own in zip(expected, actual, strict=True)]
    sentence = f"{name!r} finds the same {what} in {sum(same)} of {len(same)} texts."
    if sum(same) < LOWER_TEXTS * len(same):
        raise MeshError(sentence)
    return sentence
