import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.phrases import PhraseFinder
from mesh.nlp.segmentation import fold


def found(phrase: str, text: str) -> list[str]:
    finder = PhraseFinder([phrase])
    spans = [text[start:end] for start, end in finder.longest(text)]
    assert finder.contained(text) == ({0} if spans else set())
    return spans


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
    finder = PhraseFinder(["york", "New York City", "new york", "NEW YORK", "city council", "hall"])
    assert [text[start:end] for start, end in finder.longest(text)] == [
        "New York",
        "New York City",
        "City council",
    ]
    assert finder.contained(text) == {0, 1, 2, 3, 4}


LETTERS = st.lists(st.sampled_from("ab+"), min_size=1, max_size=4).map(" ".join)


@given(st.lists(LETTERS, max_size=8, unique=True), st.lists(st.sampled_from("ab+"), max_size=20))
def test_same_as_looking_at_every_place(phrases: list[str], units: list[str]) -> None:
    text = " ".join(units)
    places = [
        (start, start + len(phrase), number)
        for number, phrase in enumerate(phrases)
        for start in range(0, len(text), 2)
        if text[start : start + len(phrase)] == phrase
    ]
    finder = PhraseFinder(phrases)
    assert finder.contained(text) == {number for _, _, number in places}
    ends = sorted({end for _, end, _ in places})
    assert list(finder.longest(text)) == [
        (min(start for start, other, _ in places if other == end), end) for end in ends
    ]


@given(st.text(max_size=30))
def test_a_text_contains_itself(text: str) -> None:
    assert PhraseFinder([text]).contained(text) == ({0} if fold(text).strip() else set())
