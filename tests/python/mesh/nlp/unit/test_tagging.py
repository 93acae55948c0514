import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.tagging import (
    LabelledSpan,
    TaggedSpan,
    Word,
    first_tokens,
    split_words,
    tag_set,
    tag_words,
    tagged_spans,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("London's U.S. envoy", ["London", "'", "s", "U", ".", "S", ".", "envoy"]),
        ("UK-based, 4%", ["UK", "-", "based", ",", "4", "%"]),
        ("東京都 Tokio", ["東", "京", "都", "Tokio"]),
        ("Zoë é", ["Zoë", "é"]),
        (" \n", []),
    ],
)
def test_words_and_marks(text, words):
    assert [text[start:end] for start, end in split_words(text)] == words


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_words_leave_out_only_white_space(text):
    words = split_words(text)
    assert "".join(text[start:end] for start, end in words) == "".join(text.split())


def test_tags_of_entities():
    text = "Ann Lee left Rome"
    entities = [LabelledSpan(0, 7, "PER"), LabelledSpan(13, 17, "LOC")]
    assert tag_words(split_words(text), entities) == ["B-PER", "I-PER", "O", "B-LOC"]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O", "O"], []),
        (["B-A", "I-A", "O", "B-A"], [(0, 1, "A"), (3, 3, "A")]),
        (["B-A", "B-A"], [(0, 0, "A"), (1, 1, "A")]),
        (["I-A", "I-A"], [(0, 1, "A")]),
        (["B-A", "I-B"], [(0, 0, "A"), (1, 1, "B")]),
        (["B-A", "O", "I-A"], [(0, 0, "A"), (2, 2, "A")]),
    ],
)
def test_entities_of_tags(tags, spans):
    assert tagged_spans(tags) == [TaggedSpan(*span) for span in spans]


@given(st.lists(st.sampled_from(tag_set(("A", "B")))))
def test_every_tag_but_o_is_in_one_entity(tags):
    covered = [number for span in tagged_spans(tags) for number in range(span.first, span.last + 1)]
    assert covered == [number for number, tag in enumerate(tags) if tag != "O"]


def test_first_tokens_of_words():
    words = [Word(0, 6), Word(6, 7), Word(8, 10), Word(11, 12)]
    offsets = [(0, 0), (0, 3), (3, 6), (6, 7), (8, 10), (0, 0)]
    assert first_tokens(words, offsets) == [1, 3, 4, None]


def test_token_of_two_words_serves_both():
    assert first_tokens([Word(0, 1), Word(1, 2)], [(0, 2)]) == [0, 0]
