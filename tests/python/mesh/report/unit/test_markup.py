"""Text is shown as it is, and is never markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.report.markup import Html, element, escape, facts, in_words, table, web_link


class Read(HTMLParser):
    """The tags with their attributes, and the text between them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


readable = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")))


@given(readable, readable)
def test_text_and_attributes_are_read_as_they_were_written(text: str, title: str) -> None:
    read = Read(element("p", text, title=title))
    assert read.tags == [("p", {"title": title})]
    assert read.text == text


@given(st.text())
def test_every_text_can_be_written_as_utf_8(text: str) -> None:
    escape(text).encode()


def test_what_no_reader_sees_is_replaced() -> None:
    assert escape("a\x00b\x1b[31m\ud800\u0085") == "a\ufffdb\ufffd[31m\ufffd\ufffd"
    assert escape("line\nother\ttab") == "line\nother\ttab"


def test_children_that_are_none_are_left_out() -> None:
    assert element("p", None, "a", Html("<b>b</b>"), class_="c", id=None) == (
        '<p class="c">a<b>b</b></p>'
    )


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://huggingface.co/org/name", True),
        ("http://x/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ('https://x/"><script>', False),
        ("//x/", False),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str, is_link: bool) -> None:
    assert ("href" in web_link("text", url)) is is_link


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (True, "yes"),
        (None, "none"),
        (0.5, "0.5"),
        ([1, "b"], "1, b"),
        ({"read": 9, "dropped": {}}, "read 9"),
        ({"ingest": {"read": 9, "taken": 8}, "b": {"c": 1}}, "ingest (read 9, taken 8), b c 1"),
    ],
)
def test_values_are_put_in_words(value: object, expected: str) -> None:
    assert in_words(value) == expected


def test_tables_can_be_read_and_scrolled_without_a_mouse() -> None:
    read = Read(table("Rows & more", ("a", "b"), [("x", "1")]))
    [(_, region), *_] = read.tags
    assert region == {
        "class": "wide",
        "role": "region",
        "aria-label": "Rows & more",
        "tabindex": "0",
    }
    assert [one["scope"] for tag, one in read.tags if tag == "th"] == ["col", "col", "row"]
    assert "caption" in dict(read.tags)


def test_facts_without_a_value_are_left_out() -> None:
    assert Read(facts([("a", "1"), ("b", None), ("c", "")])).text == "a1"
