import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.segmentation import Word
from mesh.nlp.tagger_text import tagger_text
from mesh.nlp.tagging import (
    LabelledSpan,
    TaggedSpan,
    best_tags,
    first_tokens,
    read_tags,
    tag_set,
    tag_words,
    tagged_spans,
)
from mesh.nlp.words import split_words


def test_tags_of_entities() -> None:
    text = "Ann Lee left Rome"
    entities = [LabelledSpan(0, 7, "PER"), LabelledSpan(13, 17, "LOC")]
    assert tag_words(split_words(text), entities) == ["B-PER", "I-PER", "O", "B-LOC"]


def test_an_entity_begins_again_after_an_address() -> None:
    words = split_words("Ann @ Lee")
    entities = [LabelledSpan(0, 9, "PER")]
    assert tag_words(words, entities, {4}) == ["B-PER", "O", "B-PER"]


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


TAGS = tag_set(("A", "B"))


def is_legal(tags, begins, ends):
    """Whether tags are those of names, by the names that they make."""
    spans = tagged_spans(tags)
    right = ["O"] * len(tags)
    for span in spans:
        right[span.first : span.last + 1] = [f"I-{span.label}"] * (span.last + 1 - span.first)
        right[span.first] = f"B-{span.label}"
    return right == list(tags) and all(begins[span.first] and ends[span.last] for span in spans)


@given(st.integers(1, 4), st.integers(0, 10_000))
def test_best_tags_are_the_likeliest_of_names(length, seed):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(len(TAGS), 0.5), length)
    begins, ends = random.random((2, length)) < 0.7
    best = best_tags(probabilities, TAGS, begins, ends)

    def likelihood(numbers):
        return np.log(probabilities[np.arange(length), list(numbers)]).sum()

    legal = (
        numbers
        for numbers in itertools.product(range(len(TAGS)), repeat=length)
        if is_legal([TAGS[number] for number in numbers], begins, ends)
    )
    assert is_legal([TAGS[number] for number in best], begins, ends)
    assert likelihood(best) == pytest.approx(max(map(likelihood, legal)))


def test_best_tags_of_no_words():
    none = np.zeros(0, dtype=bool)
    assert len(best_tags(np.zeros((0, 3)), tag_set(("A",)), none, none)) == 0


def test_tags_without_beginnings_are_the_likeliest_of_each_word():
    tags = ("O", "B-A", "I-A", "I-B")
    probabilities = np.eye(4)[[2, 3, 0, 3, 2]]
    every = np.ones(5, dtype=bool)
    assert best_tags(probabilities, tags, every, every).tolist() == [2, 3, 0, 3, 2]


@pytest.mark.parametrize(
    ("text", "likeliest", "tags"),
    [
        ("Tokyo-based firms", "B-A I-A O O", "B-A O O O"),
        ("pro-Tokyo", "B-A I-A I-A", "B-A I-A I-A"),
        ("-Tokyo", "B-A I-A", "O B-A"),
        ("Biden-Xi", "B-A O B-A", "B-A O B-A"),
        ("Xi -", "O B-A", "O O"),
        ("Yahoo!", "B-A I-A", "B-A I-A"),
        (".NET", "B-A I-A", "B-A I-A"),
        ("@ann Lee", "B-A I-A", "O B-A"),
        ("Ann #lee", "B-A I-A", "B-A O"),
        ("Ann http://x.org Lee", "B-A I-A I-A", "B-A O B-A"),
    ],
)
def test_names_have_no_addresses_and_no_marks_at_their_ends(text, likeliest, tags):
    read = tagger_text(text)
    words = split_words(read.text)
    numbers = [TAGS.index(tag) for tag in likeliest.split()]
    sure = [5 if text[word.start].isalnum() else 3 for word in words]
    logits = np.eye(len(TAGS), dtype=np.float32)[numbers] * np.array(sure)[:, None]
    # Another beginning is likelier than no name, where no name can go on.
    logits[:, TAGS.index("B-A")] += 1
    found = read_tags(read, np.array(words), logits, TAGS)
    assert found.words == words
    assert " ".join(found.tags) == tags
    assert found.probabilities.shape == (len(words),)


def test_word_without_token_is_in_no_name():
    found = read_tags(
        tagger_text("Ann Lee"), np.array([(0, 3)]), np.eye(len(TAGS), dtype=np.float32)[[1]], TAGS
    )
    assert found.tags == ["B-A", "O"]
    assert found.probabilities[1] == 1
