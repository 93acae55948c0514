import pytest

from entity_fishing.reading import _WORD, Reading, spans_of_words
from entity_fishing.schema import Language
from mesh.nlp.document import read_document


def reading(text, language="en"):
    return Reading(read_document(text, "auto", language), Language(language))


@pytest.mark.parametrize(
    ("language", "text", "unmarked"),
    [
        ("en", "The cat saw Rome. It left.", ["The", "It"]),
        ("en", "He said: “We saw Rome.”", ["He", "We"]),
        ("en", "1. We saw Rome", ["We"]),
        ("en", "Cats Visit Rome And London", ["Cats", "Visit", "Rome", "London"]),
        ("en", "CATS SEE ROME", ["CATS", "SEE", "ROME"]),
        ("en", "cats see rome", ["cats", "see", "rome"]),
        ("fr", "Le chat voit Rome.", ["Le"]),
        ("de", "Die Katze sieht Rom.", ["Die", "Katze", "sieht", "Rom"]),
        ("ja", "東京に行く", []),
    ],
)
def test_letter_case_tells_nothing_at_the_start_of_sentences_and_in_headlines(
    language, text, unmarked
):
    read = reading(text, language)
    assert [read.word(index) for index in sorted(read.unmarked)] == unmarked


def test_contexts_are_sentences():
    text = "One. Two is here. Three."
    read = reading(text)
    assert [text[slice(*read.context(at, at + 3))] for at in (0, 5, 18)] == [
        "One.",
        "Two is here.",
        "Three.",
    ]
    assert text[slice(*read.context(2, 7))] == "One. Two is here."
    assert reading("").context(0, 0) == (0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the us left nato", True), ("the US left", True), ("The us left", False), ("東京", False)],
)
def test_documents_without_capital_letters_are_known(text, expected):
    assert reading(text).is_lower_case == expected


def test_words_of_ascii_are_those_of_all_scripts():
    text = "".join(f"{a}{b}" for a in map(chr, range(128)) for b in "a_1 ")
    assert spans_of_words(text) == [match.span() for match in _WORD.finditer(text)]
