"""The ranking functions choose what KeyBERT's own functions choose on the same embeddings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keybert._maxsum import max_sum_distance as keybert_max_sum
from keybert._mmr import mmr as keybert_mmr

from keywords.ranking import max_sum_distance, maximal_marginal_relevance


def unit_vectors(seed, count):
    vectors = np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


CASES = st.tuples(st.integers(0, 10**6), st.integers(1, 12)).map(
    lambda case: (unit_vectors(case[0], 1)[0], unit_vectors(case[0] + 1, case[1]))
)
TOP_N = st.integers(1, 6)


def names(candidates):
    return [f"candidate {index}" for index in range(len(candidates))]


def assert_same(candidates, ranked, theirs):
    assert [names(candidates)[index] for index, _ in ranked] == [name for name, _ in theirs]
    assert [score for _, score in ranked] == pytest.approx([score for _, score in theirs], abs=2e-4)


@given(CASES, TOP_N, st.floats(0, 1))
def test_maximal_marginal_relevance(case, top_n, diversity):
    document, candidates = case
    theirs = keybert_mmr(document.reshape(1, -1), candidates, names(candidates), top_n, diversity)
    ranked = maximal_marginal_relevance(candidates @ document, candidates, top_n, diversity)
    assert_same(candidates, ranked, theirs)


@given(CASES, TOP_N, st.integers(0, 6))
def test_max_sum_distance(case, top_n, more):
    document, candidates = case
    nr_candidates = top_n + more
    theirs = keybert_max_sum(
        document.reshape(1, -1), candidates, names(candidates), top_n, nr_candidates
    )
    ranked = max_sum_distance(candidates @ document, candidates, top_n, nr_candidates)
    assert_same(candidates, ranked, theirs)
