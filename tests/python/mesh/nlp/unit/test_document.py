import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesh.core.markup import MarkupChoice
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
        ("one\n\n two", "one\n\ntwo"),
        ("one\r\n\r\ntwo", "one\n\ntwo"),
    ],
)
def test_white_space_is_a_space_or_parts_blocks(original: str, expected: str) -> None:
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


@given(texts, st.sampled_from(["auto", "html", "markdown", "plain"]))
def test_blocks_cover_the_text(original: str, markup: MarkupChoice) -> None:
    document = read_document(original, markup)
    blocks = [document.text[block.start : block.end] for block in document.blocks]
    assert "\n\n".join(blocks) == document.text
    assert all("\n" not in block and block == block.strip() != "" for block in blocks)


@given(texts)
def test_normal_form_does_not_matter(original: str) -> None:
    forms = {read_document(unicodedata.normalize(form, original)).text for form in ("NFC", "NFD")}
    assert len(forms) == 1
    assert unicodedata.is_normalized("NFC", forms.pop())


@pytest.mark.parametrize("original", ["Kopen\xad\nhagen", "Kopen\xad \r\nhagen", "a\xad\r b"])
def test_invisible_characters_beside_a_soft_hyphen_do_not_matter(original: str) -> None:
    texts = {
        read_document(f"{original[:place]}\ufeff{original[place:]}").text
        for place in range(len(original) + 1)
    }
    assert texts == {read_document(original).text}


@given(texts, st.sampled_from("\ufeff\u200b\u2060\u200e"), st.data())
def test_invisible_characters_do_not_matter(
    original: str, invisible: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(original)))
    with_one = original[:place] + invisible + original[place:]
    assert read_document(with_one).text == read_document(original).text


LINES = st.lists(
    st.sampled_from(
        (
            "Berlin;Anna Lee met;in the old town;- one;1. one;2. two;a\tb;;\f;Dear Ann,;> quoted;"
            "The plan of the council is to extend the tram to the port"
        ).split(";")
    )
).map("\n".join)


@given(LINES, st.data())
def test_inline_markup_does_not_matter(original: str, data: st.DataObject) -> None:
    words = [match.span() for match in re.finditer(r"[A-Za-z]+", original)]
    if not words:
        return
    start, end = data.draw(st.sampled_from(words))
    marked = f"{original[:start]}<i>{original[start:end]}</i>{original[end:]}"
    assert read_document(marked).text == read_document(original).text


# Without the letters of Roman numerals, which can be page numbers.
@given(st.lists(st.text("abe RYZ.,!?é😀", min_size=1).map(str.split).filter(bool).map(" ".join)))
def test_paragraphs_are_blocks(paragraphs: list[str]) -> None:
    document = read_document("\n\n".join(paragraphs), "plain")
    assert [document.text[block.start : block.end] for block in document.blocks] == paragraphs


def test_sentences_end_with_their_block() -> None:
    document = read_document("Berlin is\n\nParis. He left.")
    found = [document.text[start:end] for start, end in document.sentences("en")]
    assert found == ["Berlin is", "Paris.", "He left."]
    assert document.sentences("en", document.blocks[1:]) == document.sentences("en")[1:]
