import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.document import read_document
from summarization.extractive import MAX_PIECES, ExtractiveSummarizer, centrality, choose
from summarization.length import count_words
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
    """The texts of the summaries, or the error."""
    answer = answers(documents, **configuration)
    return answer if isinstance(answer, Exception) else [text for text, _ in answer]


def answers(documents, **configuration):
    [answer] = ExtractiveSummarizer(WordEncoder()).summarize([task(documents, **configuration)])
    return answer


def task(documents, **configuration):
    return [read_document(text) for text in documents], Configuration(**configuration)


def test_most_central_sentences_are_taken_in_the_order_of_the_text():
    text = "Yeast grows. Every tram rings. The tram is red. A glacier melts."
    [shortest] = summarize(text, desired_length=4)
    assert shortest in ("Every tram rings.", "The tram is red.")
    [longer] = summarize(text, desired_length=10)
    assert longer.index("Yeast") < longer.index("tram") < longer.index("glacier")


def test_sentences_that_say_the_same_come_once():
    [summary] = summarize("The tram is red. The tram is red. The boat is blue.", desired_length=100)
    assert summary == "The tram is red. The boat is blue."


def test_empty_summary_says_why():
    documents = [
        "The red tram stops at the harbour.",
        "",
        "<p> </p>",
        "<script>go();</script>",
        "12 %",
    ]
    assert answers(documents, desired_length=3) == [
        ("", "no_sentence_fits"),
        *[("", "no_text")] * (len(documents) - 1),
    ]
    assert answers(["A tram rings."], desired_length=3) == [("A tram rings.", None)]


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
    assert count_words(summary) <= desired_length
    position = 0
    for sentence in filter(None, summary.split(".")):
        position = passages.index(f"{sentence.strip()}.", position) + 1
    assert [summary] == summarize(" ".join(passages), desired_length=desired_length)


def test_requests_are_embedded_in_one_call_and_summarised_as_alone():
    encoder = WordEncoder()
    tasks = [
        task(["The tram is red. A boat sank."], desired_length=4),
        task(["Yeast grows."], target_language="fr"),
        task(["", "A glacier melts."]),
    ]
    first, refused, third = ExtractiveSummarizer(encoder).summarize(tasks)
    assert encoder.calls == 1
    assert isinstance(refused, UsageError)
    assert "can't write fr summaries of en documents" in str(refused)
    assert third == [("", "no_text"), ("A glacier melts.", None)]
    assert [first] == ExtractiveSummarizer(encoder).summarize(tasks[:1])


def test_too_many_sentences_are_refused():
    answer = summarize("A tram. " * (MAX_PIECES // 2), "A boat. " * (MAX_PIECES // 2 + 1))
    assert isinstance(answer, UsageError)
    assert "1,001 sentences or lines" in str(answer)


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
