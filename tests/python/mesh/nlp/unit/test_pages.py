from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marked_texts import read_marked_texts
from mesh.nlp.pages import furniture

_DATA = Path(__file__).parents[1] / "data"
PAGES = read_marked_texts(_DATA / "pages.txt")
TEXTS = read_marked_texts(_DATA / "no_furniture.txt")


@pytest.mark.parametrize("name", PAGES)
def test_heads_feet_and_numbers_of_pages_are_furniture(name: str):
    lines, marks = PAGES[name].lines, PAGES[name].marks

    found = furniture(lines)

    assert {i: lines[i] for i in found} == {i: lines[i] for i in marks}


@pytest.mark.parametrize("name", TEXTS)
def test_lines_of_the_text_stay(name: str):
    lines = TEXTS[name].lines

    assert {lines[i] for i in furniture(lines)} == set()


@pytest.mark.parametrize("name", ["en form feeds", "en border on a line of its own", "de", "ja"])
def test_white_space_around_lines_changes_nothing(name: str):
    lines = PAGES[name].lines

    assert furniture([f"{line}  \r" for line in lines]) == furniture(lines)


_WORDS = st.sampled_from(("harbour", "tram", "line", "council", "bridge", "The", "of", "builds"))
_LINE = st.lists(_WORDS, min_size=6, max_size=9).map(" ".join)
_PAGES = st.lists(st.lists(_LINE, min_size=2, max_size=6), min_size=3, max_size=6)


@given(pages=_PAGES, first=st.integers(1, 400))
def test_only_what_pages_add_is_furniture(pages: list[list[str]], first: int):
    lines: list[str] = []
    wanted: set[int] = set()
    for number, page in enumerate(pages, first):
        # No line of the text is twice in it.
        body = [f"{line} {chr(97 + number % 26)}{chr(97 + i)}z" for i, line in enumerate(page)]
        head = ("\f" if number > first else "") + "Report on the Tram"
        wanted |= {len(lines), len(lines) + len(body) + 1}
        lines += [head, *body, f"- {number} -"]

    assert furniture(lines) == wanted


@given(st.lists(st.text("ab 12\f.-", max_size=12), max_size=30))
def test_furniture_has_characters_and_is_in_the_text(lines: list[str]):
    assert all(0 <= i < len(lines) and lines[i].strip() for i in furniture(lines))
