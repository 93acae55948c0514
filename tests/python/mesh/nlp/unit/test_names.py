# ruff: noqa: RUF001 - the names are in several scripts
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.document import read_document
from mesh.nlp.names import MAX_NAME_WORDS, occurrences, place


def found(name: str, text: str) -> list[str]:
    [spans] = occurrences([name], text)
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("Rome", "Rome, Romeo and ROME", ["Rome", "ROME"]),
        ("istanbul", "İstanbul, ISTANBUL", ["İstanbul", "ISTANBUL"]),
        ("New  York", "In New York\u00a0now", ["New York"]),
        ("McDonald's", "McDonald’s opened.", ["McDonald’s"]),
        ("Côte d’Ivoire", "In Cote d'Ivoire, Côte d'Ivoire", ["Côte d'Ivoire"]),
        ("Côte d'Ivoire", unicodedata.normalize("NFD", "Côte d`Ivoire"), ["Co\u0302te d`Ivoire"]),
        ("L\u02bcOréal", "L'Oréal's", ["L'Oréal"]),
        ("Siemens", "the ‘Siemens’ plant, Siemens’s", ["Siemens", "Siemens"]),
        ("España", "l'ESPAÑA moderna", ["ESPAÑA"]),
        ("Jean-Luc", "Jean\u2011Luc und Jean–Luc", ["Jean\u2011Luc", "Jean–Luc"]),
        ("AT&amp;T", "AT&T and AT & T", ["AT&T", "AT & T"]),
        ("AT&T", "AT&amp;T", []),
        ("AT&amp;T", "AT&amp;T", ["AT&amp;T"]),
        ("Straße", "STRASSE und Straße", ["STRASSE", "Straße"]),
        ("Sie\u00admens\u200b", "Siemens", ["Siemens"]),
        ("Ｓｏｎｙ", "Sony", ["Sony"]),
        ("C++", "C++ and C++11, x+C++", ["C++", "C++"]),
        (".NET", "ASP.NET or .NET", [".NET"]),
        ("北京", "我在北京工作", ["北京"]),
        ("東京", "東京タワー", ["東京"]),
        ("С.-Петербург", "в С.-Петербург и", ["С.-Петербург"]),
        ("القاهرة", "في القاهرة،", ["القاهرة"]),
        ("नई दिल्ली", "वह नई दिल्ली में है", ["नई दिल्ली"]),
        ("दिल", "वह दिल्ली में है", []),
        ("کتاب\u200cخانه", "در کتاب\u200cخانه است", ["کتاب\u200cخانه"]),
        ("Paris Hilton", "Paris\n\nHilton", []),
        ("a a", "a a a a a", ["a a", "a a"]),
        ("", "text", []),
        ("\u200b ", "text", []),
    ],
)
def test_names_are_found_as_users_write_them(name: str, text: str, there: list[str]) -> None:
    assert found(name, text) == there


def test_names_share_places_and_keep_their_order() -> None:
    names = ["York", "New York", "new york", "New York City", "Oslo"]
    text = "New York City, York"
    assert [
        [text[span.start : span.end] for span in spans] for spans in occurrences(names, text)
    ] == [["York", "York"], ["New York"], ["New York"], ["New York City"], []]


def test_number_of_occurrences_is_bounded() -> None:
    assert len(occurrences(["a"], "a a a", limit=3)[0]) == 3
    with pytest.raises(UsageError, match="occur more than 3 times"):
        occurrences(["a", "a"], "a a", limit=3)


def test_names_of_very_many_words_never_occur() -> None:
    longest = "a " * MAX_NAME_WORDS
    assert found(longest, longest) == [longest.strip()]
    assert found(f"{longest} a", f"{longest} a") == []


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "b-a"]), min_size=1, max_size=12).map(" ".join)


@given(st.lists(WORDS, max_size=6), WORDS)
def test_places_are_those_of_one_search_for_each_name(names: list[str], text: str) -> None:
    expected = [
        [match.span() for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
        for name in names
    ]
    assert occurrences(names, text) == expected


@given(st.text(), st.lists(st.text(max_size=5), max_size=5))
def test_any_text_is_searched(text: str, names: list[str]) -> None:
    for spans in occurrences(names, text):
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
        assert all(one.end <= two.start for one, two in pairwise(spans))


@pytest.mark.parametrize(
    ("document", "name", "there"),
    [
        ("Rome fell.", "rome", "Rome"),
        ("<p>McDonald&rsquo;s", "McDonald's", "McDonald&rsquo;s"),
        ("At Maria&nbsp;\n <b>Santos", "Maria Santos", "Maria&nbsp;\n <b>Santos"),
        ("At Maria&nbsp;<b>Santos", "Maria&nbsp;<b>Santos", "Maria&nbsp;<b>Santos"),
    ],
)
def test_place_of_a_name(document: str, name: str, there: str) -> None:
    start = document.index(there)
    read = read_document(document)
    assert read.to_original(*place(read, name, start, start + len(there))) == (
        start,
        start + len(there),
    )


@pytest.mark.parametrize(
    ("document", "start", "end", "there"),
    [("Oslo, Rome.", 0, 4, "'Oslo'"), ("Rome fell.", 0, 3, "'Rom'"), ("<br>Rome", 0, 4, "''")],
)
def test_place_with_another_text_is_refused(
    document: str, start: int, end: int, there: str
) -> None:
    message = re.escape(f"The entity 'Rome' isn't at {start}:{end}, where the document has {there}")
    with pytest.raises(UsageError, match=message):
        place(read_document(document), "Rome", start, end)
