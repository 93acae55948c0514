import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.function_words import function_words
from mesh.nlp.segmentation import core
from mesh.nlp.stop_words import LANGUAGES, stop_words
from mesh.nlp.words import content_words, split_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don\u2019t STOP!", ["don't", "stop"]),
        ("ﬁne Straße e\u0301té", ["fine", "strasse", "été"]),
        ("我们去 park", ["我们", "去", "park"]),
        ("京都のお寺", ["京都", "の", "お寺"]),
        ("ภาษาไทย", ["ภาษา", "ไทย"]),
        ("iPhone12, 3.5 e-mail", ["iphone12", "3.5", "e", "mail"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("బంగారు గడియారం", ["బంగారు", "గడియారం"]),
        ('שָׁלוֹם צה"ל', ["שָׁלוֹם", 'צה"ל']),
        ("می\u200cخو\u0627\u0647م", ["میخواهم"]),
        ("п'ять \u041c\u02bcяч", ["п'ять", "м'яч"]),
        ("😀👍🏽 a\U0001d400", ["aa"]),
        ("... '' 😀", []),
        ("a\ud800b", ["a", "b"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


SAME = [
    ("STRASSE", "Straße", "STRAẞE"),
    ("İSTANBUL", "istanbul", "İstanbul", "I\u0307stanbul"),
    ("IŞIK", "\u0131ş\u0131k", "Iş\u0131k"),
    ("Café", "Cafe\u0301", "CAFÉ"),
    ("हिन्दी काफ़ी", "हिन्दी काफ़ी"),
    ("O\u2019Brien", "o'brien", "O\u02bcBrien"),
    ("\uff26\uff55\uff4c\uff4c", "full"),
    ("ΟΔΟΣ", "οδος", "οδοσ"),
    ("co\u00adoperate", "cooperate"),
    ("e\u2011mail", "e-mail"),
]


@pytest.mark.parametrize("texts", SAME, ids=lambda texts: texts[0])
def test_spellings_of_the_same_words(texts: tuple[str, ...]) -> None:
    assert len({tuple(words(text)) for text in texts}) == 1
    assert len({tuple(content_words(text, "en")) for text in texts}) == 1


@given(st.text(max_size=30))
def test_normal_form_and_case_change_no_word(text: str) -> None:
    expected = words(text)
    assert words(unicodedata.normalize("NFD", text)) == expected
    assert words(" ".join(expected)) == expected


@given(st.text(st.characters(max_codepoint=0x52F), max_size=30))
def test_upper_case_changes_no_word(text: str) -> None:
    assert words(text.upper()) == words(text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("company's", "company"),
        ("They\u2019ve", "They"),
        ("don't", "don't"),
        ("shouldn't've", "shouldn't"),
        ("he'd've", "he"),
        ("l'avion", "avion"),
        ("L\u2019Europe", "Europe"),
        ("QU'IL", "IL"),
        ("dell'acqua", "acqua"),
        ("aujourd'hui", "aujourd'hui"),
        ("O'Brien", "O'Brien"),
        ("O'Brien's", "O'Brien"),
        ("D'Angelo", "D'Angelo"),
        ("rock'n'roll", "rock'n'roll"),
        ("o'clock", "o'clock"),
        ("п'ять", "п'ять"),
        ("tram", "tram"),
    ],
)
def test_core_of_a_word(word: str, expected: str) -> None:
    start, end = core(word)
    assert word[start:end] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("London's U.S. envoy", ["London", "'", "s", "U", ".", "S", ".", "envoy"]),
        ("UK-based, 4%", ["UK", "-", "based", ",", "4", "%"]),
        ("東京都 Tokio", ["東", "京", "都", "Tokio"]),
        ("Zoë e\u0301 हिन्दी", ["Zoë", "e\u0301", "हिन्दी"]),
        ("❤\ufe0fBerlin", ["❤\ufe0f", "Berlin"]),
        ("می\u200cخو\u0627\u0647م", ["می\u200cخو\u0627\u0647م"]),
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
        ("en", "I don't think it's the Dean's fault.", ["think", "dean", "fault"]),
        ("en", "ﬁshing in Ⅷ lakes ①", ["ﬁshing".replace("ﬁ", "fi"), "viii", "lakes", "1"]),
        ("en", "They've seen that we'll and don\u2019t; O'Brien's won't", ["seen", "o'brien"]),
        ("en", "no-one else's trams", ["trams"]),
        ("vi", "Bao giờ thư viện mở cửa", ["thư", "viện", "mở", "cửa"]),
        ("he", "שָׁלוֹם ג'ירפה", ["שָׁלוֹם", "ג'ירפה"]),
        ("th", "ภาษาไทยเป็นภาษาที่ใช้", ["ภาษา", "ไทย", "ภาษา", "ใช้"]),
        ("fr", "L\u2019avion qu'il a pris n'est pas arrivé", ["avion", "pris", "arrivé"]),
        ("de", "Daß die Straße groß war, wußte er", ["strasse", "gross", "wusste"]),
        ("hi", "हिन्दी भारत की एक भाषा है।", ["हिन्दी", "भारत", "भाषा"]),
        ("ar", "القاهرة هي عاصمة مصر", ["القاهرة", "عاصمة", "مصر"]),
        ("ko", "서울은 대한민국의 수도이다.", ["서울은", "대한민국의", "수도이다"]),
        # "我们" and "的" are stop words.
        (
            "zh",
            "我们吃北京的苹果\uff0cOpenAI 3.5",
            ["吃", "北京", "苹果", "openai", "3.5"],
        ),
        ("ja", "東京タワー1958年", ["東京タワー", "1958", "年"]),
        ("en", "The 東京 tower", ["東京", "tower"]),
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
def test_no_word_is_empty_blank_or_a_function_word(text: str, language: str) -> None:
    for word in content_words(text, language):
        assert word.strip() == word != ""
        assert word not in function_words(language)
