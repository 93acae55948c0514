from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.candidates import Place
from keywords.ranking import (
    max_sum_distance,
    maximal_marginal_relevance,
    most_relevant,
    phrase_relevance,
)


def unit_vectors(seed, count, dim=12):
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


CASES = st.tuples(st.integers(0, 10**6), st.integers(0, 12)).map(
    lambda case: (unit_vectors(case[0], 1)[0], unit_vectors(case[0] + 1, case[1]))
)
TOP_N = st.integers(1, 8)


@given(CASES, TOP_N)
def test_most_relevant_takes_the_best_first(case, top_n):
    document, candidates = case
    ranked = most_relevant(candidates @ document, top_n)
    scores = [score for _, score in ranked]
    left_out = np.delete(candidates, [index for index, _ in ranked], axis=0) @ document
    assert len(ranked) == min(top_n, len(candidates))
    assert scores == sorted(scores, reverse=True)
    assert all(other <= scores[-1] + 1e-4 for other in left_out)


def test_equal_similarities_keep_the_order_of_the_candidates():
    candidates = np.repeat(unit_vectors(0, 1), 30, axis=0)
    assert [index for index, _ in most_relevant(candidates @ candidates[0], 5)] == [0, 1, 2, 3, 4]


@given(CASES, TOP_N, st.floats(0, 1))
def test_marginal_relevance_takes_the_best_of_the_rest_each_time(case, top_n, diversity):
    document, candidates = case
    ranked = maximal_marginal_relevance(candidates @ document, candidates, top_n, diversity)
    similarity = candidates @ document
    between = candidates @ candidates.T
    chosen = [int(similarity.argmax())] if len(candidates) else []
    while len(chosen) < min(top_n, len(candidates)):
        rest = [index for index in range(len(candidates)) if index not in chosen]
        chosen.append(
            max(
                rest,
                key=lambda index: (1 - diversity) * similarity[index]
                - diversity * max(between[index, other] for other in chosen),
            )
        )
    assert {index for index, _ in ranked} == set(chosen)
    scores = [score for _, score in ranked]
    assert scores == sorted(scores, reverse=True)


def test_diversity_avoids_a_near_copy():
    document = np.array([1, 0, 0], dtype=np.float32)
    candidates = np.array([[0.9, 0.436, 0], [0.9, 0.435, 0.02], [0.5, 0, 0.866]], dtype=np.float32)
    near = maximal_marginal_relevance(candidates @ document, candidates, 2, 0.0)
    diverse = maximal_marginal_relevance(candidates @ document, candidates, 2, 0.7)
    assert {index for index, _ in near} == {0, 1}
    assert {index for index, _ in diverse} == {0, 2}


@given(CASES, st.integers(2, 5), st.integers(0, 6))
def test_max_sum_same_as_brute_force(case, top_n, more):
    document, candidates = case
    if len(candidates) < top_n:
        assert max_sum_distance(candidates @ document, candidates, top_n, top_n + more) == []
        return
    similarity = candidates @ document
    nearest = np.argsort(similarity)[-(top_n + more) :]
    between = (candidates @ candidates.T).astype(np.float64)

    def total(chosen):
        return sum(between[first, second] for first, second in combinations(chosen, 2))

    ranked = max_sum_distance(candidates @ document, candidates, top_n, top_n + more)
    chosen = [index for index, _ in ranked]
    assert set(chosen) <= set(nearest.tolist())
    assert total(chosen) == pytest.approx(min(map(total, combinations(nearest, top_n))), abs=1e-5)
    assert [score for _, score in ranked] == sorted(score for _, score in ranked)


def test_scores_have_four_digits():
    document, candidates = unit_vectors(3, 1)[0], unit_vectors(4, 9)
    ranked = most_relevant(candidates @ document, 9)
    assert all(score == round(score, 4) for _, score in ranked)
    assert [score for _, score in ranked] == pytest.approx(
        sorted((candidates @ document).tolist(), reverse=True), abs=1e-4
    )


@pytest.mark.parametrize(
    ("similarity", "place", "longest", "expected"),
    [
        (1.0, Place(0, 4), 4, 1.0),
        (1.0, Place(0, 9), 4, 1.0),
        (0.0, Place(1, 1), 4, 0.0),
        (-0.4, Place(1, 1), 4, 0.0),
        (0.5, Place(0.5, 2), 4, (0.5 + 0.05 / 2 + 0.1 / 2) / 1.15),
        (0.5, Place(0, 3), 3, (0.5 + 0.05 + 0.1) / 1.15),
        (0.5, Place(0, 1), 1, (0.5 + 0.1) / 1.15),
    ],
)
def test_relevance_of_a_phrase(similarity, place, longest, expected):
    found = phrase_relevance(np.array([similarity], dtype=np.float32), [place], longest)
    assert found == pytest.approx([expected], abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.integers(1, 20)), max_size=9),
    st.integers(1, 10),
)
def test_relevance_is_between_0_and_1_and_grows_with_each_part(cases, longest):
    similarity = np.array([case[0] for case in cases], dtype=np.float32)
    places = [Place(start, words) for _, start, words in cases]
    relevance = phrase_relevance(similarity, places, longest)
    assert relevance.shape == (len(cases),)
    assert relevance.dtype == np.float32
    assert ((relevance >= 0) & (relevance <= 1)).all()
    longer = [Place(start / 2, words + 1) for start, words in places]
    assert (phrase_relevance(similarity, longer, longest) >= relevance).all()
