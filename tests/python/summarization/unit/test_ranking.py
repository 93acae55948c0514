"""How sentences are ranked and chosen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.ranking import centrality, choose, position_prior, stems

SENTENCES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=10)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The farmer's farming of Farmers", ["farmer", "farmin", "farmer"]),
        ("en", "Should they not?", ["should", "they", "not"]),
        ("de", "Die Brücke, der Brückenbau", ["brücke", "brücke"]),
        ("fr", "L'école et les écoles", ["école", "écoles"]),
        ("ko", "병원은 병원을 정부의", ["병원", "병원", "정부"]),
        ("ja", "病院の建設", ["病院", "建設"]),
        ("zh", "医院的建设", ["医院", "建设"]),
    ],
)
def test_stems_are_beginnings_of_content_words(language, text, expected):
    assert stems(text, language) == expected


def test_centrality_counts_words_that_other_sentences_have():
    found = centrality([["a", "b"], ["a", "a", "c"], ["d"], []])
    # `a` is in another sentence twice, or once for each of two; `d` in none.
    assert found == [2 / math.log1p(2), 2 / math.log1p(3), 0, 0]


def test_repeated_sentences_count_once():
    assert centrality([["a", "b"], ["c"]] + [["c"]] * 9) == [0] * 11


@given(SENTENCES)
def test_centrality_is_the_degree_in_the_graph_of_shared_words(sentences):
    distinct = [list(each) for each in dict.fromkeys(map(tuple, sentences))]
    degree = [
        sum(
            one.count(word) * other.count(word)
            for other in distinct
            if other is not one
            for word in set(one)
        )
        for one in distinct
    ]
    lengths = [math.log1p(max(1, len(each))) for each in distinct]
    assert centrality(distinct) == pytest.approx(
        [count / length for count, length in zip(degree, lengths, strict=True)]
    )


@pytest.mark.parametrize(
    ("share", "weight", "last"), [(0, 1, 0), (0, 0.8, 0.2), (0.5, 0.8, 0.6), (1, 1, 1), (0.3, 0, 1)]
)
def test_prior_falls_from_one_to_what_weight_and_share_leave(share, weight, last):
    prior = position_prior(100, share, weight)
    assert prior[0] == 1
    assert prior == sorted(prior, reverse=True)
    assert prior[4] == pytest.approx(last + (1 - last) / math.e)
    assert prior[-1] == pytest.approx(last, abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "sentences", "lengths", "chosen"),
    [
        ([1, 0.9], ["ab", "cd"], [5, 4], [0, 1]),
        # What is longer than the summary doesn't count.
        ([1, 0.9], ["ab", "cd"], [10, 9], [1]),
        ([1, 0.9], ["ab", "cd"], [10, 11], []),
        ([1, 0.9], ["ab", "cd"], [0, 9], [1]),
        # The best one that is left doesn't fit, and half is used.
        ([1, 0.9, 0.8], ["ab", "cd", "ef"], [5, 5, 4], [0]),
        # Less than half is used.
        ([1, 0.9, 0.8], ["ab", "cd", "ef"], [4, 6, 4], [0, 2]),
        # More than 0.8 of its words are said.
        ([1, 0.9, 0.1], ["abcdef", "abcde", "x"], [3, 3, 3], [0, 2]),
        # Half of its words are said, so that it's worth 0.85 of its score.
        ([1, 0.5, 0.45], ["ab", "ax", "yz"], [3, 3, 3], [0, 2, 1]),
        # Among equals, the first.
        ([0, 0, 0], ["ab", "cd", "ef"], [4, 4, 4], [0, 1]),
    ],
)
def test_best_sentences_that_fit_and_say_something_new_are_chosen(
    scores, sentences, lengths, chosen
):
    assert choose(scores, sentences, lengths, 9) == chosen


@given(st.data(), SENTENCES, st.integers(1, 30))
def test_choice_is_that_of_a_look_at_every_sentence_each_time(data, sentences, desired_length):
    count = len(sentences)
    scores = data.draw(st.tuples(*[st.sampled_from([0, 0.3, 0.5, 0.7, 1])] * count))
    lengths = data.draw(st.tuples(*[st.integers(0, 9)] * count))
    expected: list[int] = []
    said: set[str] = set()
    waiting = {index for index in range(len(scores)) if 0 < lengths[index] <= desired_length}
    left = desired_length
    while waiting:
        shares = {
            index: len(said & set(sentences[index])) / max(1, len(set(sentences[index])))
            for index in waiting
        }
        best = max(waiting, key=lambda index: (scores[index] * (1 - 0.3 * shares[index]), -index))
        if lengths[best] > left:
            if 2 * left <= desired_length:
                break
            waiting = {index for index in waiting if lengths[index] <= left}
            continue
        expected.append(best)
        left -= lengths[best]
        said |= set(sentences[best])
        waiting = {
            index
            for index in waiting - {best}
            if len(said & set(sentences[index])) <= 0.8 * max(1, len(set(sentences[index])))
        }
    assert choose(scores, sentences, lengths, desired_length) == expected


def test_many_sentences_are_ranked():
    # A table of all pairs of them would need more memory than there is.
    count = 200_000
    sentences = [["same", f"word{index}", f"word{index // 2}"] for index in range(count)]
    chosen = choose(centrality(sentences), sentences, [3] * count, 500)
    assert 0 < len(chosen) <= 167
