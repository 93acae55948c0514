"""Compares the keywords that two implementations find."""

from collections.abc import Sequence

from mesh.core.errors import MeshError

SCORE_TOLERANCE = 1e-3
TIE = 1.01e-4
"""Equal scores of two implementations, rounded to four digits, can differ by this much."""

Keywords = list[tuple[str, float]]
"""The keywords of a document with their scores, best first."""


LOWER_TOLERANCE = 5e-3
"""Of scores in a lower precision than float32."""
LOWER_SHARE = 0.99
"""Of documents whose keywords must be the same in a lower precision."""


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
