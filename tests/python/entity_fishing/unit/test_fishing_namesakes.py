import pytest
from hypothesis import given
from hypothesis import strategies as st

from entity_fishing.linker import Link, Mention
from entity_fishing.namesakes import initials, is_made_of_initials, strangers
from entity_fishing.reading import Reading
from entity_fishing.schema import Language, Reason
from mesh.nlp.document import read_document


def links(text, name, reason=Reason.UNKNOWN, wikidata_id=None):
    start = text.index(name)
    mention = Mention(start, start + len(name))
    return [Link(mention, 0.0, wikidata_id, None if wikidata_id else reason)]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("The director Neil Jordan came.", "Neil Jordan", {"jordan"}),
        ("The player J. Washington won.", "J. Washington", {"washington"}),
        ("The player MaliVai Washington won.", "MaliVai Washington", {"washington"}),
        ("The Bank of England met.", "Bank of England", set()),
        ("The Kent Cricket Board met.", "The Kent Cricket Board", set()),
        ("Only Jordan came.", "Jordan", set()),
        ("He knows the University of Texas.", "University of Texas", set()),
    ],
)
def test_last_names_of_unknown_persons_are_known(text, name, expected):
    reading = Reading(read_document(text), Language.ENGLISH)
    assert strangers(reading, links(text, name)) == expected
    assert strangers(reading, links(text, name, wikidata_id="Q1")) == frozenset()


def test_a_part_of_an_unknown_name_is_its_last_name():
    text = "Peter Jordan was late."
    reading = Reading(read_document(text), Language.ENGLISH)
    found = links(text, "Jordan", Reason.PART_OF_LONGER_NAME)
    assert strangers(reading, found) == {"jordan"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("International Monetary Fund", "IMF"),
        ("Organization of American States", "OAS"),
        ("the Kurdistan Democratic Party", "KDP"),
        ("apple", ""),
        ("", ""),
    ],
)
def test_initials_leave_out_small_words(name, expected):
    assert initials(name) == expected


@given(st.text(max_size=12))
def test_initials_are_short_and_in_capitals(name):
    if is_made_of_initials(name):
        assert name == name.upper()
        assert 2 <= len(name) <= 6
