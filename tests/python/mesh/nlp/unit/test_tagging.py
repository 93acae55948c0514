import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.segmentation import Word
from mesh.nlp.tagging import (
    LabelledSpan,
    TaggedSpan,
    first_tokens,
    tag_set,
    tag_words,
    tagged_spans,
)
from mesh.nlp.words import split_words


def test_tags_of_entities() -> None:
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
def test_entities_of_tags(tags: list[str], spans: list[tuple[int, int, str]]) -> None:
    assert tagged_spans(tags) == [TaggedSpan(*span) for span in spans]


@given(st.lists(st.sampled_from(tag_set(("A", "B")))))
def test_every_tag_but_o_is_in_one_entity(tags: list[str]) -> None:
    covered = [number for span in tagged_spans(tags) for number in range(span.first, span.last + 1)]
    assert covered == [number for number, tag in enumerate(tags) if tag != "O"]


def test_first_tokens_of_words() -> None:
    words = [Word(0, 6), Word(6, 7), Word(8, 10), Word(11, 12)]
    offsets = [(0, 0), (0, 3), (3, 6), (6, 7), (8, 10), (0, 0)]
    assert first_tokens(words, offsets) == [1, 3, 4, None]


def test_token_of_two_words_serves_both() -> None:
    assert first_tokens([Word(0, 1), Word(1, 2)], [(0, 2)]) == [0, 0]
