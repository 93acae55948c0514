"""Choosing a document's keywords among its candidates by the similarity of embeddings.

Each function takes the embedding of the document, float32 (dim,), and those of its n candidates,
float32 (n, dim), all of length 1, and returns at most `top_n` pairs of a candidate's index and its
cosine similarity to the document, rounded to 4 digits. Equal similarities are taken in the order of
the candidates.
"""

from functools import lru_cache
from itertools import chain, combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ranked = list[tuple[int, float]]


def most_similar(
    document: NDArray[np.float32], candidates: NDArray[np.float32], top_n: int
) -> Ranked:
    """The candidates nearest to the document, nearest first."""
    similarity = candidates @ document
    return _scored(np.argsort(-similarity, kind="stable")[:top_n], similarity)


def maximal_marginal_relevance(
    document: NDArray[np.float32],
    candidates: NDArray[np.float32],
    top_n: int,
    diversity: float,
) -> Ranked:
    """Candidates that are near the document and unlike one another, nearest first.

    They are chosen one by one: the nearest, then always the one with the largest
    `(1 - diversity) * similarity to the document - diversity * largest similarity to a chosen one`
    (Carbonell and Goldstein, 1998).

    Args:
        diversity: from 0, which considers only the document, to 1, which considers only the chosen
            ones.
    """
    if not len(candidates):
        return []
    similarity = candidates @ document
    chosen = [int(similarity.argmax())]
    redundancy = candidates @ candidates[chosen[0]]
    while len(chosen) < min(top_n, len(candidates)):
        relevance = (1 - diversity) * similarity - diversity * redundancy
        relevance[chosen] = -np.inf
        chosen.append(int(relevance.argmax()))
        redundancy = np.maximum(redundancy, candidates @ candidates[chosen[-1]])
    return sorted(_scored(chosen, similarity), key=lambda pair: pair[1], reverse=True)


def max_sum_distance(
    document: NDArray[np.float32],
    candidates: NDArray[np.float32],
    top_n: int,
    nr_candidates: int,
) -> Ranked:
    """The least similar `top_n` of the `nr_candidates` nearest, nearest last.

    Every combination is tried; the one with the smallest sum of pairwise similarities wins.
    The result is empty where the document has fewer than `top_n` candidates.
    """
    if len(candidates) < top_n:
        return []
    similarity = candidates @ document
    nearest = np.argsort(-similarity, kind="stable")[:nr_candidates][::-1]
    between = candidates[nearest] @ candidates[nearest].T
    choices = _combinations(len(nearest), top_n)
    total = np.zeros(len(choices), dtype=np.float64)
    for first, second in combinations(range(top_n), 2):
        total += between[choices[:, first], choices[:, second]]
    return _scored(nearest[choices[total.argmin()]], similarity)


@lru_cache(maxsize=2)
def _combinations(count: int, size: int) -> NDArray[np.unsignedinteger[Any]]:
    """All choices of `size` of `count` indices, in lexicographic order: (comb(count, size), size).

    They have the smallest type that holds `count`: there are many, and the latest stay cached.
    """
    flat = chain.from_iterable(combinations(range(count), size))
    indices = np.fromiter(flat, dtype=np.min_scalar_type(count), count=comb(count, size) * size)
    return indices.reshape(-1, size)


def _scored(indices: NDArray[np.intp] | list[int], similarity: NDArray[np.float32]) -> Ranked:
    return [(int(index), round(float(similarity[index]), 4)) for index in indices]
