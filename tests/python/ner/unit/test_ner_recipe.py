import random
from importlib.resources import files

import pytest

from ner.augmentation import vary_names
from ner.cased_vocabulary import cased_words
from ner.dataset import Example
from ner.recipe import answers, differences

ENTITY = {
    "entity_type": "PER",
    "entity_text": "Ann",
    "score": 0.9,
    "sentence_index": 0,
    "start": 0,
    "end": 3,
}


def changed(**values):
    return {"entities": [ENTITY | values]}


def test_answers_are_places_and_types():
    assert answers(changed()) == answers(changed(score=0.5)) == {(0, 3, "PER")}
    assert answers(changed(end=2)) & answers(changed()) == set()
    assert answers({"entities": []}) == set()


@pytest.mark.parametrize(
    ("actual", "sentences"),
    [
        (changed(), []),
        (changed(score=0.905), []),
        (changed(score=0.8), ["PER 'Ann' at 0 scores 0.8 instead of 0.9"]),
        (changed(entity_type="LOC"), ["PER 'Ann' at 0 is missing", "LOC 'Ann' at 0 is new"]),
        (changed(sentence_index=1), ["PER 'Ann' at 0 has another text or sentence"]),
        ({"entities": []}, ["PER 'Ann' at 0 is missing"]),
    ],
)
def test_differences(actual, sentences):
    assert differences(changed(), actual, 0.01) == sentences


def example(text, *entities):
    spans = [{"start": start, "end": end, "label": label} for start, end, label in entities]
    return Example.model_validate(
        {"text": text, "language": "en", "domain": "news", "entities": spans}
    )


ROW = example(
    "Maria Santos left Paris for Siemens.", (0, 12, "PER"), (18, 23, "LOC"), (28, 35, "ORG")
)


def test_varied_rows_are_valid_and_keep_the_words_around_the_names():
    texts = set()
    for seed in range(200):
        row = vary_names(ROW, random.Random(seed))
        again = Example.model_validate(row.model_dump())
        assert [entity.label for entity in again.entities] == ["PER", "LOC", "ORG"]
        first, second, third = again.entities
        assert again.text[first.end : second.start].lower() == " left "
        assert again.text[second.end : third.start].lower() == " for "
        assert again.text[third.end :] == "."
        texts.add(again.text)
    assert len(texts) > 100
    assert any(text.islower() for text in texts)
    assert any(" Left " in text for text in texts)
    assert any(" LEFT " in text for text in texts)


def test_equal_random_numbers_give_equal_rows():
    assert vary_names(ROW, random.Random(3)) == vary_names(ROW, random.Random(3))


def _names(kind):
    path = files("ner.train") / "names" / f"{kind}.txt"
    return {name.casefold() for name in path.read_text(encoding="utf-8").splitlines()}


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("France", "LOC", "countries"),
        ("Paris", "LOC", "cities"),
        ("Siemens", "ORG", "organisations"),
        ("Real Madrid", "ORG", "teams"),
        ("Manchester", "ORG", "cities"),
        ("Cornwall", "ORG", "regions"),
        ("Norwegian", "MISC", "nationalities"),
        ("norwegian", "MISC", "nationalities"),
    ],
)
def test_names_are_replaced_by_others_of_their_kind(name, label, kind):
    row = example(f"In {name} it rains", (3, 3 + len(name), label))
    names = set()
    for seed in range(100):
        varied = vary_names(row, random.Random(seed))
        [entity] = varied.entities
        names.add(varied.text[entity.start : entity.end].casefold())
    assert len(names) > 10
    assert names <= _names(kind)


@pytest.mark.parametrize(("name", "words"), [("Ann", 1), ("Ann Lee", 2), ("A. Lee", 2)])
def test_persons_are_replaced_by_persons_with_as_many_names(name, words):
    row = example(f"{name} left", (0, len(name), "PER"))
    names = set()
    for seed in range(100):
        varied = vary_names(row, random.Random(seed))
        [entity] = varied.entities
        names.add(varied.text[entity.start : entity.end])
    assert len(names) > 20
    assert {len(name.split()) for name in names} <= {words, words + 1}
    assert name[1:2] != "." or all(other[1] == "." for other in names)


def test_rivers_are_not_replaced_by_towns():
    row = example("The Zambezi rose.", (4, 11, "LOC"))
    texts = {vary_names(row, random.Random(seed)).text.lower() for seed in range(50)}
    assert texts == {"the zambezi rose."}


def test_cased_words_of_a_vocabulary():
    vocabulary = {
        "[UNK]": 0,
        "rome": 1,
        "##ton": 2,
        "a": 3,
        "7": 4,
        "washington": 5,
        "##ization": 6,
    }
    assert cased_words(vocabulary) == [
        ("Rome", 1, False),
        ("ROME", 1, True),
        ("##TON", 2, True),
        ("A", 3, False),
        ("Washington", 5, False),
    ]
