"""Choosing a document's keywords among its candidates by their relevance and their embeddings.

Each function that chooses takes the relevance of n candidates, float32 (n,), and their embeddings,
float32 (n, dim), of length 1. It returns at most `top_n` pairs of a candidate's index and its
relevance, rounded to 4 digits. Equally relevant candidates are taken in their order. Relevance is
the cosine similarity to the document, or `phrase_relevance`.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, combinations
from math import comb, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywords.candidates import Place

Ranked = list[tuple[int, float]]

LENGTH_WEIGHT = 0.05
POSITION_WEIGHT = 0.1
"""Of the length and the place of a phrase, beside 1 for its similarity to the document."""


def phrase_relevance(
    similarity: NDArray[np.float32], places: Sequence[Place], longest: int
) -> NDArray[np.float32]:
    """The relevance of n phrases, from 0 to 1: float32 (n,).

    It is the weighted mean of three numbers from 0 to 1: the similarity to the document (0 if it is
    negative), the logarithm of the number of words relative to that of `longest`, and the part of
    the document behind the first occurrence.

    Args:
        similarity: cosine similarity to the document, float32 (n,).
        longest: the number of words from which on a phrase counts as long.
    """
    starts, words = np.array(places, dtype=np.float32).reshape(-1, 2).T
    length = np.minimum(np.log(words) / log(max(longest, 2)), 1)
    total = similarity.clip(0, 1) + LENGTH_WEIGHT * length + POSITION_WEIGHT * (1 - starts)
    return (total / (1 + LENGTH_WEIGHT + POSITION_WEIGHT)).astype(np.float32)


def most_relevant(relevance: NDArray[np.float32], top_n: int) -> Ranked:
    """The most relevant candidates, best first."""
    return _scored(np.argsort(-relevance, kind="stable")[:top_n], relevance)


def maximal_marginal_relevance(
    relevance: NDArray[np.float32],
    candidates: NDArray[np.float32],
    top_n: int,
    diversity: float,
) -> Ranked:
    """Candidates that are relevant and unlike one another, most relevant first.

    They are chosen one by one: the most relevant, then always the one with the largest
    `(1 - diversity) * relevance - diversity * largest similarity to a chosen one` (Carbonell and
    Goldstein, 1998).

    Args:
        diversity: from 0, which considers only relevance, to 1, which considers only the chosen
            ones.
    """
    if not len(candidates):
        return []
    chosen = [int(relevance.argmax())]
    redundancy = candidates @ candidates[chosen[0]]
    while len(chosen) < min(top_n, len(candidates)):
        gain = (1 - diversity) * relevance - diversity * redundancy
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        redundancy = np.maximum(redundancy, candidates @ candidates[chosen[-1]])
    return sorted(_scored(chosen, relevance), key=lambda pair: pair[1], reverse=True)


def max_sum_distance(
    relevance: NDArray[np.float32],
    candidates: NDArray[np.float32],
    top_n: int,
    nr_candidates: int,
) -> Ranked:
    """The least similar `top_n` of the `nr_candidates` most relevant, most relevant last.

    Every combination is tried; the one with the smallest sum of pairwise similarities wins.
    The result is empty where the document has fewer than `top_n` candidates.
    """
    if len(candidates) < top_n:
        return []
    best = np.argsort(-relevance, kind="stable")[:nr_candidates][::-1]
    between = (candidates[best] @ candidates[best].T).ravel()
    choices = _combinations(len(best), top_n)
    total = np.zeros(len(choices), dtype=np.float64)
    for pair in _pairs(len(best), top_n):
        total += between.take(pair)
    return _scored(best[choices[total.argmin()]], relevance)


@lru_cache(maxsize=2)
def _pairs(count: int, size: int) -> NDArray[np.unsignedinteger[Any]]:
    """Where the similarities of each two of a choice are: (comb(size, 2), comb(count, size)).

    They are positions in the flat table of similarities, in the smallest type that holds them.
    """
    choices = _combinations(count, size).astype(np.min_scalar_type(count * count))
    rows = [
        choices[:, first] * count + choices[:, second]
        for first, second in combinations(range(size), 2)
    ]
    return np.array(rows, dtype=choices.dtype).reshape(-1, len(choices))


@lru_cache(maxsize=2)
def _combinations(count: int, size: int) -> NDArray[np.unsignedinteger[Any]]:
    """All choices of `size` of `count` indices, in lexicographic order: (comb(count, size), size).

    They have the smallest type that holds `count`: there are many, and the latest stay cached.
    """
    flat = chain.from_iterable(combinations(range(count), size))
    indices = np.fromiter(flat, dtype=np.min_scalar_type(count), count=comb(count, size) * size)
    return indices.reshape(-1, size)


def _scored(indices: NDArray[np.intp] | list[int], relevance: NDArray[np.float32]) -> Ranked:
    return [(int(index), round(float(relevance[index]), 4)) for index in indices]
