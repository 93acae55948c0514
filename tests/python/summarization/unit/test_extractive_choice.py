import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.words import words
from summarization.extractive import MAX_PASSAGES, ExtractiveSummarizer, centrality, choose
from summarization.schema import Configuration

AXES = ("tram", "boat", "glacier", "yeast")


class WordEncoder:
    """Embeds a text by its counts of four words."""

    def __init__(self):
        self.calls = 0

    def embed(self, texts):
        self.calls += 1
        counts = np.array(
            [[1e-3 + text.lower().count(axis) for axis in AXES] for text in texts], np.float32
        )
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def summarize(*documents, **configuration):
    [answer] = ExtractiveSummarizer(WordEncoder()).summarize(
        [(documents, Configuration(**configuration))]
    )
    return answer


def test_most_central_sentences_are_taken_in_the_order_of_the_text():
    text = "Yeast grows. Every tram rings. The tram is red. A glacier melts."
    [shortest] = summarize(text, desired_length=4)
    assert shortest in ("Every tram rings.", "The tram is red.")
    [longer] = summarize(text, desired_length=10)
    assert longer.index("Yeast") < longer.index("tram") < longer.index("glacier")


def test_sentences_that_say_the_same_come_once():
    [summary] = summarize("The tram is red. The tram is red. The boat is blue.", desired_length=100)
    assert summary == "The tram is red. The boat is blue."


def test_sentence_longer_than_requested_is_not_cut():
    assert summarize("The red tram stops at the harbour.", "", desired_length=3) == ["", ""]


def test_chinese_is_joined_without_spaces_and_counted_in_characters():
    text = "电车tram很好。船boat是蓝色的。"
    assert summarize(text, language="zh", desired_length=20) == [text]
    assert summarize(text, language="zh", desired_length=5) == ["电车tram很好。"]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([*AXES, "red", "blue"]), min_size=1, max_size=8), max_size=12
    ),
    st.integers(1, 30),
)
def test_summary_is_short_enough_ordered_and_always_the_same(sentences, desired_length):
    passages = [" ".join(sentence).capitalize() + "." for sentence in sentences]
    [summary] = summarize(" ".join(passages), desired_length=desired_length)
    assert len(words(summary)) <= desired_length
    position = 0
    for sentence in filter(None, summary.split(".")):
        position = passages.index(f"{sentence.strip()}.", position) + 1
    assert [summary] == summarize(" ".join(passages), desired_length=desired_length)


def test_requests_are_embedded_in_one_call_and_summarised_as_alone():
    encoder = WordEncoder()
    tasks = [
        (["The tram is red. A boat sank."], Configuration(desired_length=4)),
        (["Yeast grows."], Configuration(target_language="fr")),
        (["", "A glacier melts."], Configuration()),
    ]
    first, refused, third = ExtractiveSummarizer(encoder).summarize(tasks)
    assert encoder.calls == 1
    assert isinstance(refused, UsageError)
    assert "can't write fr summaries of en documents" in str(refused)
    assert third == ["", "A glacier melts."]
    assert [first] == ExtractiveSummarizer(encoder).summarize(tasks[:1])


def test_too_many_sentences_are_refused():
    answer = summarize("A tram. " * (MAX_PASSAGES // 2), "A boat. " * (MAX_PASSAGES // 2 + 1))
    assert isinstance(answer, UsageError)
    assert "1,001 sentences" in str(answer)


def test_centrality_is_the_stationary_distribution():
    similarity = np.array([[1, 0.8, 0.1], [0.8, 1, 0.1], [0.1, 0.1, 1]], np.float32)
    others = similarity - np.eye(3, dtype=np.float32)
    step = others / others.sum(axis=1, keepdims=True)
    values, vectors = np.linalg.eig((0.15 / 3 + 0.85 * step).T)
    exact = np.abs(vectors[:, np.argmax(values.real)].real)
    np.testing.assert_allclose(centrality(similarity), exact / exact.max(), atol=1e-4)


def test_sentences_that_are_like_no_other_are_equally_central():
    np.testing.assert_allclose(centrality(np.eye(4, dtype=np.float32)), np.ones(4))
    assert centrality(np.ones((1, 1), np.float32)).tolist() == [1]


@pytest.mark.parametrize(("lengths", "chosen"), [([5, 5], [0]), ([5, 4], [0, 1]), ([10, 9], [1])])
def test_only_sentences_that_fit_are_chosen(lengths, chosen):
    assert choose(np.array([1, 0.9], np.float32), np.eye(2, dtype=np.float32), lengths, 9) == chosen
