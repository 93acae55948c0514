import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.near_duplicates import clusters, jaccard, shingles, similar_pairs

sets = st.lists(st.frozensets(st.sampled_from("abcdefgh"), max_size=6), max_size=12)


def test_shingles_are_neighbouring_words() -> None:
    assert shingles(["a", "b", "c", "a", "b"], 2) == {"a b", "b c", "c a"}


@given(st.lists(st.sampled_from("abc"), max_size=20), st.integers(1, 6))
def test_number_of_shingles(words: list[str], size: int) -> None:
    made = shingles(words, size)
    assert bool(made) == (len(words) >= size)
    assert len(made) <= max(0, len(words) - size + 1)
    assert all(len(text.split()) == size for text in made)


def test_few_words_may_be_a_shingle() -> None:
    assert shingles(["a", "b", "c"], 2, keep_short=True) == {"a b", "b c"}
    assert shingles(["a"], 2, keep_short=True) == {"a"}
    assert shingles([], 2, keep_short=True) == frozenset()


def test_shingle_of_no_words_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        shingles(["a"], 0)


def test_similarity_of_sets() -> None:
    assert jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert jaccard(frozenset(), frozenset()) == 1
    assert jaccard(frozenset("a"), frozenset()) == 0


@given(sets, st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0]))
def test_no_similar_pair_is_missed(elements: list[frozenset[str]], threshold: float) -> None:
    expected = [
        (left, right, jaccard(elements[left], elements[right]))
        for right in range(len(elements))
        for left in range(right)
        if elements[left] and jaccard(elements[left], elements[right]) >= threshold
    ]
    assert list(similar_pairs(elements, threshold)) == expected


@pytest.mark.parametrize("threshold", [0, -0.1, 1.1])
def test_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        list(similar_pairs([], threshold))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.just(1.0)), max_size=12))
def test_clusters_join_what_pairs_join_and_nothing_else(
    pairs: list[tuple[int, int, float]],
) -> None:
    found = clusters(10, iter(pairs))
    groups = [{item} for item in range(10)]
    for left, right, _ in pairs:
        first = next(group for group in groups if left in group)
        second = next(group for group in groups if right in group)
        if first is not second:
            groups.remove(second)
            first |= second
    assert found == [min(next(group for group in groups if item in group)) for item in range(10)]
