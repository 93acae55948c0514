import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entity_fishing import names
from entity_fishing.names import name_key, spelling, without_accents
from entity_fishing.utf16 import Utf16Offsets
from mesh.nlp.normal_form import PLAIN_FORMS, normal_form


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Zürich", "zurich"),
        (unicodedata.normalize("NFD", "Zürich"), "zurich"),
        ("  New \n York ", "new york"),
        ("U.S.", "us"),
        ("U.S", "us"),
        ("U. S.", "us"),
        ("U. S", "us"),
        ("John F. Kennedy", "john f kennedy"),
        ("J.R.R. Tolkien", "jrr tolkien"),
        ("J. R. R. Tolkien", "jrr tolkien"),
        ("AT & T", "at&t"),
        ("McDonald`s", "mcdonald's"),
        ("St. Louis", "st. louis"),
        ("McDonald\u2019s", "mcdonald's"),
        ("Côte d\u02bcIvoire", "cote d'ivoire"),
        ("Coca\u2011Cola", "coca-cola"),
        ("Straße", "strasse"),
        ("東京", "東京"),
        ("World Trade Organisation", "world trade organization"),
        ("Labour Party", "labor party"),
        ("London-based", "london"),
        ("Coca-Cola", "coca-cola"),
        ("US-led", "us-led"),
        ("हिन्दी", "हिन्दी"),
        ("?!", ""),
    ],
)
def test_key_is_the_same_for_all_spellings_of_a_name(name, key):
    assert name_key(name) == key


def test_spelling_keeps_letter_case_and_accents():
    assert spelling("E.U. and Côte d\u2019Ivoire") == "EU and Côte d'Ivoire"


def test_offsets_count_characters_beyond_the_first_plane_twice():
    text = "🚋 Paris 🚋"
    offsets = Utf16Offsets(text)
    assert [offsets.to_utf16(position) for position in (0, 1, 2, len(text))] == [0, 2, 3, 11]
    assert offsets.from_utf16(3) == 2
    assert offsets.from_utf16(11) == len(text)
    assert offsets.from_utf16(1) is None
    assert offsets.from_utf16(12) is None


def key_by_all_patterns(name: str) -> str:
    """The key, if every text is searched for every pattern."""
    plain = normal_form("NFC", name).translate(PLAIN_FORMS)
    spaced = names._AROUND_AND.sub("&", names._SPACE.sub(" ", plain))
    spelled = names._INITIAL.sub(r"\1", spaced).strip()
    key = names._EDGES.sub("", without_accents(spelled).casefold())
    american = names._BRITISH.sub(lambda match: names._SPELLINGS[match[0]], key)
    return str(names._FROM_PLACE.sub("", american))


@given(
    st.text(
        st.sampled_from("aBlé C.&-'\u2019\t\x1c\u00a0\u0301ü1_(,`")
        | st.characters(exclude_categories=["Cs"])
    )
    | st.lists(st.sampled_from(["centre", "Labour", "London", "-based", "-", " ", "U.", "é"])).map(
        "".join
    )
)
def test_patterns_that_are_not_needed_make_no_difference(name: str) -> None:
    assert name_key(name) == key_by_all_patterns(name)
