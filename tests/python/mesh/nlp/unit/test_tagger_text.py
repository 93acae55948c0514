import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.tagger_text import tagger_text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("@ann_lee met Ann", "@        met Ann"),
        ("Ann @lee", "Ann @   "),
        ("#Rome#Fell Rome", "#          Rome"),
        ("\uff03Rome", "#    "),
        ("mail ann@rome.it.", "mail @          ."),
        ("mail ann\uff20rome.it", "mail @          "),
        ("https://a.org/Ann?q=@lee Ann", "http                     Ann"),
        ("www.rome.it, Rome", "http       , Rome"),
        ("at Rome.com", "at Rome.com"),
        ("see rome.org/Ann", "see http        "),
        ("# @ Ann", "# @ Ann"),
    ],
)
def test_signs_stand_for_addresses(text, read):
    assert tagger_text(text).text == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("JAPAN GET LUCKY WIN, 1-0", "japan get lucky win, 1-0"),
        ("ROME", "rome"),
        ("IRVINE, Calif", "Irvine, Calif"),
        ("NASA and UNICEF", "NASA and Unicef"),
        ("NASA'S LATEST: @ann", "nasa's latest: @   "),
        ("McDONALD left", "McDONALD left"),
        ("Ann met KOŠICE", "Ann met Košice"),
        ("123 - 4", "123 - 4"),
        ("A", "a"),
        ("Ann", "Ann"),
        # Its lower-case form has another length.
        ("\u0130ZM\u0130R", "\u0130ZM\u0130R"),
    ],
)
def test_needless_capitals_are_read_in_lower_case(text, read):
    assert tagger_text(text).text == read


TEXTS = st.text(st.sampled_from("aAßİÀ@#\uff20\uff03./: \nh\U0001f600")) | st.text()


@given(TEXTS)
def test_every_character_keeps_its_place(text):
    read = tagger_text(text)
    assert len(read.text) == len(text)
    for old, new in zip(text, read.text, strict=True):
        assert old.isspace() == new.isspace() or new == " "
