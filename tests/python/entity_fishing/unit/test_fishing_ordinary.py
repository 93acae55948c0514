import pytest

from entity_fishing.ordinary import is_common, is_first_name, is_ordinary, is_stop_word


@pytest.mark.parametrize(
    ("language", "common", "name"),
    [
        ("en", "Turkey", "Paris"),
        ("fr", "Mars", "Obama"),
        ("es", "Plato", "Merkel"),
        ("it", "Porto", "Obama"),
        ("de", "Seine", "Merkel"),
    ],
)
def test_common_words_are_told_from_names(language, common, name):
    assert is_common(common, language)
    assert not is_common(name, language)


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "Yesterday"), ("en", "striker"), ("fr", "hier"), ("es", "según"), ("it", "ieri")],
)
def test_ordinary_words(language, word):
    assert is_ordinary(word, language)
    assert not is_ordinary("Zorblax", language)


def test_names_among_the_stop_words_are_none():
    assert is_stop_word("us", "en")
    assert not is_stop_word("Microsoft", "en")


def test_language_without_a_list_has_stop_words_only():
    assert is_common("och", "sv")
    assert not is_common("katt", "sv")
    assert not is_ordinary("x", "xx")


@pytest.mark.parametrize("name", ["Peter", "Giovanni", "marie", "Carlos", "Hans"])
def test_first_names(name):
    assert is_first_name(name)
    assert not is_first_name("Yesterday")
