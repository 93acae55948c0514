"""Compares the keywords that two implementations find."""

from mesh.core.errors import MeshError

SCORE_TOLERANCE = 1e-3
TIE = 1.01e-4
"""Equal scores of two implementations, rounded to four digits, can differ by this much."""

Keywords = list[tuple[str, float]]
"""The keywords of a document with their scores, best first."""


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
