import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from keywords.candidates import find_candidates, phrases

WORDS = st.sampled_from(
    ["red", "Red", "fox", "a", "I", "the", "über", "Straße", "x9", "日本語", "3d", "_id", "İzmir"]
)
SEPARATORS = st.sampled_from([" ", ", ", "-", "'", "\n", "。", " 🦊 ", ""])
TEXTS = st.one_of(
    st.lists(st.tuples(WORDS, SEPARATORS), max_size=25).map(
        lambda parts: "".join(word + separator for word, separator in parts)
    ),
    st.text(max_size=60),
)
RANGES = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
STOP_WORDS = st.sets(st.sampled_from(["the", "red", "fox", "über"]))


def count_vectorizer(documents, ngram_range, stop_words, min_df, vocabulary=None):
    """The candidates by scikit-learn; empty if it finds no vocabulary at all."""
    vectorizer = CountVectorizer(
        ngram_range=ngram_range, stop_words=list(stop_words), min_df=min_df, vocabulary=vocabulary
    )
    try:
        counts = vectorizer.fit(documents).transform(documents)
    except ValueError:
        return [[] for _ in documents]
    names = vectorizer.get_feature_names_out()
    return [list(names[np.unique(row.nonzero()[-1])]) for row in counts]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), RANGES, STOP_WORDS, st.integers(1, 4))
def test_same_as_count_vectorizer(documents, ngram_range, stop_words, min_df):
    expected = count_vectorizer(documents, ngram_range, stop_words, min_df)
    assert find_candidates(documents, ngram_range, stop_words, min_df) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(TEXTS, min_size=1, max_size=4),
    RANGES,
    STOP_WORDS,
    st.lists(
        st.sampled_from(["red", "fox", "red fox", "fox red fox", "über", "absent"]),
        min_size=1,
        unique=True,
    ),
)
def test_same_as_count_vectorizer_with_a_vocabulary(documents, ngram_range, stop_words, vocabulary):
    expected = count_vectorizer(documents, ngram_range, stop_words, 1, vocabulary)
    assert find_candidates(documents, ngram_range, stop_words, 1, vocabulary) == expected


@given(TEXTS, RANGES)
def test_a_candidate_is_made_of_words_of_its_document(text, ngram_range):
    shortest, longest = ngram_range
    for phrase in phrases(text, ngram_range, frozenset()):
        words = phrase.split(" ")
        assert shortest <= len(words) <= longest
        assert all(word in text.lower() for word in words)


def test_a_phrase_spans_a_dropped_stop_word():
    assert phrases("state of the art", (2, 2), {"of", "the"}) == {"state art"}


def test_min_df_counts_documents_not_occurrences():
    assert find_candidates(["fox fox hen", "hen owl"], (1, 1), frozenset(), 2) == [["hen"], ["hen"]]


def test_min_df_above_the_number_of_documents_leaves_nothing():
    assert find_candidates(["fox", "fox"], (1, 1), frozenset(), 3) == [[], []]


def test_min_df_is_ignored_with_a_vocabulary():
    assert find_candidates(["fox", "hen"], (1, 1), frozenset(), 2, ["hen", "fox"]) == [
        ["fox"],
        ["hen"],
    ]


def test_repeated_vocabulary_counts_once():
    assert find_candidates(["fox hen"], (1, 1), frozenset(), 1, ["hen", "fox", "hen"]) == [
        ["hen", "fox"]
    ]


@pytest.mark.parametrize("text", ["", " ", "a b c", "🎉🎉", "?!"])
def test_texts_without_candidates(text):
    assert find_candidates([text], (1, 2), frozenset(), 1) == [[]]
