import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.stop_words import LANGUAGES, stop_words
from mesh.nlp.words import content_words, split_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don\u2019t STOP!", ["don't", "stop"]),
        ("ﬁne Straße e\u0301té", ["fine", "strasse", "été"]),
        ("我们去 park", ["我", "们", "去", "park"]),
        ("iPhone12, 3.5", ["iphone12", "3", "5"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("... '' 😀", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("London's U.S. envoy", ["London", "'", "s", "U", ".", "S", ".", "envoy"]),
        ("UK-based, 4%", ["UK", "-", "based", ",", "4", "%"]),
        ("東京都 Tokio", ["東", "京", "都", "Tokio"]),
        ("Zoë é", ["Zoë", "é"]),
        (" \n", []),
    ],
)
def test_words_and_marks(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in split_words(text)] == expected


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_words_and_marks_are_all_but_white_space(text: str) -> None:
    assert "".join(text[start:end] for start, end in split_words(text)) == "".join(text.split())


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "I don't think it's the Dean's faulty tram-line.", ["dean", "faulty", "tram"]),
        ("en", "ﬁshing in Ⅷ lakes ①", ["ﬁshing".replace("ﬁ", "fi"), "viii", "lakes", "1"]),
        ("fr", "L\u2019avion qu'il a pris n'est pas arrivé", ["avion", "pris", "arrivé"]),
        ("de", "Daß die Straße groß war, wußte er", ["straße", "wußte"]),
        ("hi", "हिन्दी भारत की एक भाषा है।", ["हिन्दी", "भारत", "भाषा"]),
        ("ar", "القاهرة هي عاصمة مصر", ["القاهرة", "عاصمة", "مصر"]),
        ("ko", "서울은 대한민국의 수도이다.", ["서울은", "대한민국의", "수도이다"]),
        # "我们" and "的" are stop words.
        (
            "zh",
            "我们吃北京的苹果\uff0cOpenAI 3.5",
            ["吃", "北", "京", "苹", "果", "openai", "3", "5"],
        ),
        ("ja", "東京タワー1958年", ["東", "京", "タ", "ワ", "ー", "1958", "年"]),
        ("en", "The 東京 tower", ["東", "京", "tower"]),
        ("en", "", []),
    ],
)
def test_content_words_of_languages(language: str, text: str, expected: list[str]) -> None:
    assert content_words(text, language) == expected


def test_combining_marks_belong_to_their_word() -> None:
    assert content_words("Cafe\u0301 cafés", "en") == ["café", "cafés"]


@pytest.mark.parametrize("language", ["zh", "ja", "th"])
def test_longest_stop_word_is_dropped(language: str) -> None:
    longest = max(stop_words(language), key=len)
    assert content_words(longest, language) == []


def test_unknown_language_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        content_words("text", "xx")


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_no_word_is_empty_blank_or_a_stop_word(text: str, language: str) -> None:
    for word in content_words(text, language):
        assert word.strip() == word != ""
        assert word not in stop_words(language)
