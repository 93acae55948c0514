"""Estimated similarities and fractions of candidates, compared with theory."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsh.model import bands, min_hash, signature
from lsh.schema import Configuration

PAIRS = 400


def error(count, variance):
    """Bernstein's bound: the mean of `count` Bernoulli trials exceeds it once in 10^7 times."""
    log = math.log(2e7)
    return (log / 3 + math.sqrt(log**2 / 9 + 2 * count * variance * log)) / count


def bands_of(text, configuration):
    made = signature(text, configuration)
    assert made is not None
    return made


def similar_sets(seed, size, similarity):
    """Two sets of `size` elements with about this Jaccard similarity, and the exact one."""
    shared = round(2 * size * similarity / (1 + similarity))
    common = {f"{seed} common {number}" for number in range(shared)}
    first, second = (
        common | {f"{seed} {name} {number}" for number in range(size - shared)}
        for name in ("first", "second")
    )
    return first, second, len(first & second) / len(first | second)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 1500),
    similarity=st.floats(0, 1),
    num_perm=st.sampled_from([16, 64, 128, 256]),
)
def test_estimated_similarity_is_within_the_error_of_theory(seed, size, similarity, num_perm):
    first, second, exact = similar_sets(seed, size, similarity)
    estimate = (min_hash(first, num_perm) == min_hash(second, num_perm)).mean()
    # Each of the values agrees with probability `exact`, independently of the others.
    assert abs(estimate - exact) <= error(num_perm, exact * (1 - exact))


@pytest.mark.parametrize("similarity", [0.1, 0.5, 0.9])
def test_estimates_are_right_in_the_mean(similarity):
    difference = 0.0
    for pair in range(PAIRS):
        first, second, exact = similar_sets(f"{pair}", 60, similarity)
        difference += (min_hash(first, 128) == min_hash(second, 128)).mean() - exact
    assert abs(difference / PAIRS) <= error(PAIRS * 128, similarity * (1 - similarity))


@pytest.mark.parametrize("similarity", [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95])
def test_fraction_of_candidates_follows_the_s_curve(similarity):
    configuration = Configuration(shingle_list=1)
    count, rows = bands(configuration.threshold, configuration.num_perm)
    shared, expected = 0, []
    for pair in range(PAIRS):
        # Different words for each pair, so that pairs are independent.
        first, second, exact = similar_sets(f"{round(100 * similarity)}pair{pair}", 40, similarity)
        texts = [" ".join(word.replace(" ", "") for word in words) for words in (first, second)]
        one, other = (bands_of(text, configuration) for text in texts)
        assert len(one) == len(other) == count
        shared += any(left == right for left, right in zip(one, other, strict=True))
        expected.append(1 - (1 - exact**rows) ** count)
    variance = sum(p * (1 - p) for p in expected) / PAIRS
    assert abs(shared - sum(expected)) / PAIRS <= error(PAIRS, variance)


def test_edited_copies_are_candidates_and_other_texts_are_not():
    words = random.Random(7)
    vocabulary = [f"word{number}" for number in range(3000)]
    configuration = Configuration()
    for _ in range(20):
        original = words.choices(vocabulary, k=300)
        copy = [*original[:150], "updated", *original[150:]]
        other = words.choices(vocabulary, k=300)
        one, edited, unlike = (
            set(enumerate(bands_of(" ".join(text), configuration)))
            for text in (original, copy, other)
        )
        assert one & edited
        assert not one & unlike


def test_most_copies_with_a_twentieth_of_their_words_changed_are_candidates():
    words = random.Random(11)
    vocabulary = [f"word{number}" for number in range(3000)]
    found = 0
    for _ in range(60):
        original = words.choices(vocabulary, k=300)
        copy = list(original)
        for position in words.sample(range(300), k=15):
            copy[position] = words.choice(vocabulary)
        one, changed = (
            set(enumerate(bands_of(" ".join(text), Configuration()))) for text in (original, copy)
        )
        found += bool(one & changed)
    assert found >= 57
