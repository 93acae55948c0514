import pytest
import stopwordsiso
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.stop_words import LANGUAGES, language_code, stop_words


def test_every_language_of_the_package_has_a_name() -> None:
    assert set(LANGUAGES) == stopwordsiso.langs()


def test_names_are_distinct() -> None:
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)


@pytest.mark.parametrize("language", ["de", "DE", "german", "German", " german "])
def test_language_by_code_or_name(language: str) -> None:
    assert language_code(language) == "de"


@pytest.mark.parametrize("language", ["", "klingon", "deu", "xx"])
def test_unknown_language_lists_the_accepted_ones(language: str) -> None:
    with pytest.raises(UsageError, match=r"german \(de\)") as caught:
        language_code(language)
    assert repr(language) in str(caught.value)


def test_words_of_some_languages() -> None:
    assert {"und", "der", "nicht"} <= stop_words("de")
    assert {"y", "el", "que"} <= stop_words("es")
    assert {"的", "是"} <= stop_words("zh")
    assert "gehirn" not in stop_words("de")


@given(st.sampled_from(sorted(LANGUAGES)))
def test_words_are_lower_case(code: str) -> None:
    words = stop_words(code)
    assert words
    assert all(word == word.lower() for word in words)


def test_unknown_code_is_not_an_empty_list() -> None:
    with pytest.raises(KeyError):
        stop_words("xx")
