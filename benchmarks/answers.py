"""Whether two ways to find keywords answer alike."""

from mesh.core.errors import MeshError

SCORE_TOLERANCE = 1e-3
TIE = 1.01e-4
"""Rounded to four digits, equal scores of two implementations can be this far apart."""

Answer = list[tuple[str, float]]
"""The keywords of a document with their scores, best first."""


def check_same(expected: Answer, actual: Answer, name: str) -> None:
    """Compare an answer with KeyBERT's: another keyword may be in a place only where scores tie.

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
        raise MeshError(f"{name!r} answers {actual}, but KeyBERT {expected}.")
