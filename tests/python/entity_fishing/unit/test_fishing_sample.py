import re
from collections import Counter

from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.knowledge_file import NameKind
from entity_fishing.sample import sample_records


def test_sample_is_well_formed():
    records = list(sample_records())
    assert len(records) >= 2_000
    assert max(Counter(record.id for record in records).values()) == 1
    for record in records:
        assert re.fullmatch(r"Q[1-9]\d*", record.id), record
        assert record.type in ("person", "organisation", "place", "other"), record
        assert 0 < record.popularity <= 1, record
        assert record.description, record
        assert all(name.text == name.text.strip() != "" for name in record.names), record


def test_names_of_an_entity_are_different():
    for record in sample_records():
        names = [name.text for name in record.names]
        assert len(set(names)) == len(names), record


def test_nationalities_are_of_places_and_beliefs():
    demonyms = {
        name.text: record.id
        for record in sample_records()
        for name in record.names
        if name.kind is NameKind.DEMONYM
    }
    assert len(demonyms) >= 400
    assert {name: demonyms[name] for name in ("Dutch", "Iraqis", "Chechen", "Muslim")} == {
        "Dutch": "Q55",
        "Iraqis": "Q796",
        "Chechen": "Q5187",
        "Muslim": "Q432",
    }


def test_known_identifiers():
    knowledge = KnowledgeBase.open(None)
    for name, expected in (
        ("Paris", {"Q90", "Q830149", "Q167646"}),
        ("USA", {"Q30", "Q164134"}),
        ("Douglas Adams", {"Q42"}),
        ("zurich", {"Q72"}),
    ):
        assert {
            found.id for found in knowledge.find([name.lower()], "en")[name.lower()]
        } == expected


def test_longer_names_are_found_by_their_words():
    knowledge = KnowledgeBase.open(None)
    assert "Q265852" in {found.id for found in knowledge.containing("Cook", "en")}
    assert knowledge.containing('"; DROP TABLE name; --', "en") == []
    assert knowledge.containing("?", "en") == []
    assert knowledge.find(["no such name"], "en") == {}
