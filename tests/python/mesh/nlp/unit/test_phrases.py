import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.phrases import PhraseFinder


def found(phrase: str, text: str) -> list[str]:
    return [text[item.start : item.end] for item in PhraseFinder([phrase]).find(text)]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("new york", "In New\nYork, New  York", ["New\nYork", "New  York"]),
        ("e-mail", "An E-Mail, an e\u2011mail, an email", ["E-Mail", "e\u2011mail"]),
        ("c++", "C++ and c", ["C++"]),
        ("at&t", "AT&T's", ["AT&T"]),
        ("node.js", "Node.js.", ["Node.js"]),
        ("o'brien", "O\u2019Brien's", ["O\u2019Brien"]),
        ("vitamin c", "Vitamin C.", ["Vitamin C"]),
        ("cafe\u0301", "Le Café", ["Café"]),
        ("straße", "STRASSE", ["STRASSE"]),
        ("ﬁsh", "fish fishing", ["fish"]),
        ("机器学习", "我们使用机器学习。", ["机器学习"]),
        ("京都", "東京都と京都", ["京都"]),
        ("データ", "ビッグデータ", ["データ"]),
        ("ภาษา", "ภาษาไทย", ["ภาษา"]),
        ("हिन्दी", "हिन्दी भाषा", ["हिन्दी"]),
        ("ガス", "ｶﾞｽ", ["ｶﾞｽ"]),
        ("company", "the company's plan", ["company"]),
        ("avion", "l'avion", ["avion"]),
        ("brien", "O'Brien", []),
        ("don", "don't", []),
        ("ll", "we'll", []),
        ("tram", "trams", []),
        ("🎉", "🎉🎉", ["🎉", "🎉"]),
        (" ", "a b", []),
        ("a", "", []),
    ],
)
def test_occurrences(phrase: str, text: str, expected: list[str]) -> None:
    assert found(phrase, text) == expected


def test_phrases_within_one_another_and_of_other_case() -> None:
    text = "the New York City council"
    finder = PhraseFinder(["york", "New York City", "new york", "NEW YORK", "city council"])
    assert [(item.phrases, text[item.start : item.end]) for item in finder.find(text)] == [
        ([2, 3], "New York"),
        ([0], "York"),
        ([1], "New York City"),
        ([4], "City council"),
    ]


LETTERS = st.lists(st.sampled_from("ab+"), min_size=1, max_size=4).map(" ".join)


@given(st.lists(LETTERS, max_size=8, unique=True), st.lists(st.sampled_from("ab+"), max_size=20))
def test_same_as_looking_at_every_place(phrases: list[str], units: list[str]) -> None:
    text = " ".join(units)
    expected = {
        (phrase, start)
        for phrase in phrases
        for start in range(0, len(text), 2)
        if text[start : start + len(phrase)] == phrase
    }
    actual = [
        (phrases[number], item.start)
        for item in PhraseFinder(phrases).find(text)
        for number in item.phrases
    ]
    assert len(actual) == len(set(actual))
    assert set(actual) == expected


@given(st.text(max_size=30))
def test_a_text_contains_itself(text: str) -> None:
    assert (found(text, text) == [text.strip()]) or not PhraseFinder([text])._phrases
