import pytest
import stopwordsiso
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.segmentation import word_spans
from mesh.nlp.stop_words import LANGUAGES, StopWords, language_code, stop_words


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


def kept(stop_words_: list[str], text: str) -> list[str]:
    spans = StopWords(stop_words_).remove(text, word_spans(text))
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("left_out", "text", "expected"),
    [
        ("Capital", "the capital CAPITAL", ["the"]),
        ("عن", "مشروع عَنْ عـن", ["مشروع"]),
        ("על", "תכנית עַל", ["תכנית"]),
        ("vitamin c", "Vitamin\nC, vitamin D", ["vitamin", "D"]),
        ("e-mail", "E-Mail mail", ["mail"]),
        ("c++", "C++ code", ["code"]),
        ("don\u2019t", "don't don\u2019t do", ["do"]),
        ("not", "don't do", ["do"]),
        ("they", "they've trams", ["trams"]),
        ("it's", "it's it", ["it"]),
        ("Cafe\u0301", "café tram", ["tram"]),
        ("STRASSE", "Straße tram", ["tram"]),
        ("İstanbul", "istanbul tram", ["tram"]),
        ("的", "我们的苹果", ["我们", "苹果"]),
        ("机器学习", "机器学习模型", ["模型"]),
        ("भाषा", "हिन्दी भाषा", ["हिन्दी"]),
        ("...", "a ... b", ["a", "b"]),
    ],
)
def test_stop_words_match_in_any_spelling(left_out: str, text: str, expected: list[str]) -> None:
    assert kept([left_out], text) == expected


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_stop_word_of_a_language_is_removed(code: str) -> None:
    words = StopWords(stop_words(code))
    for word in stop_words(code):
        assert list(words.remove(word, word_spans(word))) == []
