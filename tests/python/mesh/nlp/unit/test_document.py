from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesh.nlp.document import read_document

PLAIN = (
    "<p> </p> <b> </b> <br> <br/> <script> </script> <style> </style> <!-- --> <unknown> < > & ; </a> &amp; &nbsp; "
    "&#x1F600; &#0; &NotEqualTilde; &bogus; \" ' é e\u0301 😀 👩\u200d👧 한국 word \u200b \ufeff \u200d \xad \ud800"
).split(" ")
PIECES = [
    *PLAIN,
    "<a href=\"x>y\" title='z'>",
    "Two words.",
    "\xa0",
    "\u2028",
    " ",
    "\t",
    "\n",
    "\r\n",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("", ""),
        (" \n ", ""),
        ("plain text", "plain text"),
        ("  two  \xa0words\n", "two words"),
        ("one\ntwo", "one\n\ntwo"),
        ("one\ttwo", "one\n\ntwo"),
        ("one\n\n two", "one\n\ntwo"),
        ("one\r\n\r\ntwo", "one\n\ntwo"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/><br >three", "one\n\ntwo\n\nthree"),
        ("<td>one</td><td>two</td>", "one\n\ntwo"),
        ("New<b>York</b> <i>Ci</i>ty", "NewYork City"),
        ("<DIV CLASS='a > b'><B>x</B></DIV>", "x"),
        ('<a title="it\'s" href=x>link</a>', "link"),
        ("a<script>if (a<b) {}</script >b<style>p{}</style>", "ab"),
        ("a <!-- <b>hidden</b> --> b", "a b"),
        ("<!DOCTYPE html><?xml version='1.0'?>x", "x"),
        ("<o:p>x</o:p>", "x"),
        # Not markup.
        ("a < b, c <d and e> f", "a < b, c <d and e> f"),
        ("<jo@example.org> & <y>", "<jo@example.org> & <y>"),
        ("AT&T &copy &bogus;", "AT&T &copy &bogus;"),
        # Broken.
        ("a <!-- b", "a <!-- b"),
        ("a <script>b", "a b"),
        ("a <b c", "a <b c"),
        ('<a title="open>x', "x"),
        # References.
        ("&lt;b&gt; &amp;amp; &quot;", '<b> &amp; "'),
        ("a&nbsp;&#32;b", "a b"),
        ("&#x1F600;&#128;&NotEqualTilde;", "😀€≂̸"),
        ("a&ZeroWidthSpace;b&shy;c", "abc"),
        # What can't be seen.
        ("\ufeffzero\u200bwidth\x07", "zerowidth"),
        ("می‌خواهم 👩\u200d👧", "می‌خواهم 👩\u200d👧"),
    ],
)
def test_text_without_markup(original: str, expected: str) -> None:
    assert read_document(original).text == expected


def test_span_is_mapped_back_across_markup() -> None:
    original = "<p>In &laquo;New\n <b>York</b>&raquo; &#8212; 😀</p>"
    cleaned = read_document(original)
    assert cleaned.text == "In «New York» — 😀"
    start = cleaned.text.index("New York")
    first, last = cleaned.to_original(start, start + len("New York"))
    assert original[first:last] == "New\n <b>York"
    assert cleaned.to_text(first, last) == (start, start + len("New York"))


def test_span_of_nothing_but_markup_has_no_place_in_the_clean_text() -> None:
    assert read_document("a <b> c").to_text(2, 5) is None


@given(texts)
@example("<!--<!--<script><script>")
@example("&nbsp;<p>&nbsp;")
def test_every_character_is_mapped_to_where_it_came_from(original: str) -> None:
    cleaned = read_document(original)
    starts, ends = list(cleaned.starts), list(cleaned.ends)
    assert len(cleaned.text) == len(starts) == len(ends)
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= start < end <= len(original) for start, end in zip(starts, ends, strict=True))
    for character, start, end in zip(cleaned.text, starts, ends, strict=True):
        if not character.isspace():
            assert character in read_document(original[start:end]).text


@given(texts, st.data())
def test_every_span_finds_its_way_back_and_forth(original: str, data: st.DataObject) -> None:
    cleaned = read_document(original)
    if not cleaned.text:
        return
    start = data.draw(st.integers(0, len(cleaned.text) - 1))
    end = data.draw(st.integers(start + 1, len(cleaned.text)))
    found = cleaned.to_text(*cleaned.to_original(start, end))
    if cleaned.text[start:end].isspace():
        return
    assert found is not None
    # Characters of one reference can't be told apart; everything else comes back as it was.
    assert found[0] <= start + (
        len(cleaned.text[start:end]) - len(cleaned.text[start:end].lstrip())
    )
    assert found[1] >= start + len(cleaned.text[start:end].rstrip())


@given(texts)
def test_clean_text_has_single_spaces_and_no_outer_white_space(original: str) -> None:
    text = read_document(original).text
    assert text == text.strip()
    assert all(gap in (" ", "\n\n") for gap in _gaps(text))


@given(st.text(alphabet="abc XYZ.,!?é😀").map(lambda text: " ".join(text.split())))
def test_plain_text_stays_as_it_is(text: str) -> None:
    cleaned = read_document(text)
    assert cleaned.text == text
    assert list(cleaned.starts) == list(range(len(text)))


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2, 1), (-1, 1), (0, 4)])
def test_span_outside_of_the_text_is_refused(start: int, end: int) -> None:
    cleaned = read_document("abc")
    with pytest.raises(ValueError, match="isn't a span"):
        cleaned.to_original(start, end)
    with pytest.raises(ValueError, match="isn't a span"):
        cleaned.to_text(start, end)


def _gaps(text: str) -> Iterator[str]:
    gap = ""
    for character in text:
        if character.isspace():
            gap += character
        elif gap:
            yield gap
            gap = ""
