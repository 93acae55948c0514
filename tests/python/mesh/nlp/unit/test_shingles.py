import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.shingles import shingle, tokenize
from mesh.nlp.stop_words import LANGUAGES, stop_words


@pytest.mark.parametrize(
    ("language", "text", "words"),
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
def test_words_of_languages(language, text, words):
    assert tokenize(text, language) == words


def test_combining_marks_belong_to_their_word():
    assert tokenize("Cafe\u0301 cafés", "en") == ["café", "cafés"]


@pytest.mark.parametrize("language", ["zh", "ja", "th"])
def test_longest_stop_word_is_left_out(language):
    longest = max(stop_words(language), key=len)
    assert tokenize(f"{longest}", language) == []


def test_unknown_language_is_a_key_error():
    with pytest.raises(KeyError):
        tokenize("text", "xx")


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_no_word_is_empty_blank_or_a_stop_word(text, language):
    for word in tokenize(text, language):
        assert word.strip() == word != ""
        assert word not in stop_words(language)


def test_shingles_are_neighbouring_words():
    assert shingle(["a", "b", "c", "a", "b"], 2) == {"a b", "b c", "c a"}


@given(st.lists(st.sampled_from("abc"), max_size=20), st.integers(1, 6))
def test_number_of_shingles(words, size):
    made = shingle(words, size)
    assert bool(made) == (len(words) >= size)
    assert len(made) <= max(0, len(words) - size + 1)
    assert all(len(text.split()) == size for text in made)
