import pytest

from entity_fishing.dictionary import find_names
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.schema import Language, Reason


@pytest.fixture(scope="module")
def knowledge():
    return KnowledgeBase.open(None)


def names(text, knowledge, language=Language.ENGLISH):
    return [
        (text[found.start : found.end], found.reason)
        for found in find_names(text, language, knowledge)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Michael Jordan flew to New York City.", ["Michael Jordan", "New York City"]),
        ("AT&T and Coca-Cola sued McDonald's.", ["AT&T", "Coca-Cola", "McDonald's"]),
        ("The U.S. and the UN met in Washington, D.C. today.", ["U.S", "UN", "Washington, D.C"]),
        ("who told us about it?", []),
        ("an apple and some mercury", ["apple", "mercury"]),
        ("she paris amazon", []),
        ("Apple CEO Tim Cook met President Obama", ["Apple", "Tim Cook", "Obama"]),
        ("", []),
    ],
)
def test_longest_names_are_found(knowledge, text, expected):
    assert names(text, knowledge) == [(name, None) for name in expected]


@pytest.mark.parametrize(
    ("text", "name"),
    [("We met Peter Jordan.", "Jordan"), ("The Paris Agreement holds.", "Paris")],
)
def test_capitalised_words_beside_a_name_may_belong_to_it(knowledge, text, name):
    assert names(text, knowledge) == [(name, Reason.PART_OF_LONGER_NAME)]


def test_german_nouns_do_not_belong_to_a_name(knowledge):
    assert names("Die Stadt Berlin wächst.", knowledge, Language.GERMAN) == [("Berlin", None)]
