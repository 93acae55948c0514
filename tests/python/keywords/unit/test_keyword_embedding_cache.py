from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.embeddings import LONGEST_PHRASE, EmbeddingCache


def embedding(phrase):
    """A vector that identifies its phrase."""
    return np.array([sum(map(ord, phrase)), len(phrase)], dtype=np.float32)


def embeddings(phrases):
    return np.stack([embedding(phrase) for phrase in phrases])


PHRASES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True)


def test_an_empty_cache_knows_nothing():
    cache = EmbeddingCache(3)
    assert cache.find(["a"])[0] == []
    assert cache.info() == (0, 1, 0, 3)


def test_finds_what_was_stored_by_position():
    cache = EmbeddingCache(3)
    cache.store(["a", "b"], embeddings(["a", "b"]))
    positions, found = cache.find(["b", "c", "a"])
    assert positions == [0, 2]
    assert found.tolist() == embeddings(["b", "a"]).tolist()
    assert cache.info() == (2, 1, 2, 3)


def test_forgets_the_least_recently_used():
    cache = EmbeddingCache(2)
    cache.store(["a", "b"], embeddings(["a", "b"]))
    cache.find(["a"])
    cache.store(["c"], embeddings(["c"]))
    assert cache.find(["a", "b", "c"])[0] == [0, 2]


def test_found_embeddings_stay_when_the_cache_changes():
    cache = EmbeddingCache(1)
    cache.store(["a"], embeddings(["a"]))
    _, found = cache.find(["a"])
    cache.store(["b"], embeddings(["b"]))
    assert found.tolist() == embeddings(["a"]).tolist()


def test_does_not_remember_long_phrases():
    cache = EmbeddingCache(2)
    phrases = ["x" * LONGEST_PHRASE, "y" * (LONGEST_PHRASE + 1)]
    cache.store(phrases, embeddings(phrases))
    assert cache.find(phrases)[0] == [0]


@pytest.mark.parametrize("capacity", [0, -1])
def test_needs_room(capacity):
    with pytest.raises(ValueError, match="1 or more"):
        EmbeddingCache(capacity)


@given(st.integers(1, 5), st.lists(st.tuples(st.booleans(), PHRASES), max_size=20))
def test_behaves_as_a_list_ordered_by_use(capacity, operations):
    cache = EmbeddingCache(capacity)
    recent: list[str] = []
    hits = misses = 0
    for is_store, phrases in operations:
        if is_store:
            cache.store(phrases, embeddings(phrases))
            for phrase in phrases:
                recent = [*(other for other in recent if other != phrase), phrase][-capacity:]
        else:
            expected = [position for position, phrase in enumerate(phrases) if phrase in recent]
            positions, found = cache.find(phrases)
            assert positions == expected
            assert [row.tolist() for row in found] == [
                embedding(phrases[at]).tolist() for at in expected
            ]
            recent.sort(key=lambda phrase: phrases.index(phrase) if phrase in phrases else -1)
            hits += len(expected)
            misses += len(phrases) - len(expected)
        assert cache.info() == (hits, misses, len(recent), capacity)


def test_threads_never_see_another_phrase():
    cache = EmbeddingCache(20)

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(200):
            phrases = [str(number) for number in random.choice(60, size=10, replace=False)]
            positions, found = cache.find(phrases)
            for position, row in zip(positions, found, strict=True):
                assert row.tolist() == embedding(phrases[position]).tolist()
            cache.store(phrases, embeddings(phrases))
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    info = cache.info()
    assert info.entries == 20
    assert info.hits + info.misses == 4 * 200 * 10
