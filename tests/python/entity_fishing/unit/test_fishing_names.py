import pytest

from entity_fishing.names import name_key, occurrences
from entity_fishing.utf16 import Utf16Offsets


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Zürich", "zurich"),
        ("  New \n York ", "new york"),
        ("U.S.", "u.s"),
        ("Straße", "strasse"),
        ("東京", "東京"),
        ("हिन्दी", "हिन्दी"),
        ("?!", ""),
    ],
)
def test_key_ignores_case_accents_and_outer_punctuation(name, key):
    assert name_key(name) == key


@pytest.mark.parametrize("name", ["C++", "(a", "a.c", "[x]", "\\d+", "?", "$5", "A*"])
def test_characters_of_regular_expressions_are_characters(name):
    text = f"axc {name} and {name}."
    assert [text[start:end] for start, end in occurrences(name, text)] == [name, name]


def test_only_whole_words_are_found_but_any_characters_where_there_are_no_spaces():
    assert list(occurrences("Java", "JavaScript is no Java.")) == [(17, 21)]
    assert list(occurrences("东京", "我在东京都")) == [(2, 4)]
    assert list(occurrences("", "text")) == []


def test_offsets_count_characters_beyond_the_first_plane_twice():
    text = "🚋 Paris 🚋"
    offsets = Utf16Offsets(text)
    assert [offsets.to_utf16(position) for position in (0, 1, 2, len(text))] == [0, 2, 3, 11]
    assert offsets.from_utf16(3) == 2
    assert offsets.from_utf16(11) == len(text)
    assert offsets.from_utf16(1) is None
    assert offsets.from_utf16(12) is None
