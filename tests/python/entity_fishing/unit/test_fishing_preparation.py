import unicodedata

import pytest

from entity_fishing.linker import Link
from entity_fishing.preparation import PreparedDocument
from entity_fishing.schema import Configuration, Input, Language
from mesh.core.errors import UsageError


def prepared(text, *entities, language="en", markup="auto"):
    given = [{"entity_text": entity} if isinstance(entity, str) else entity for entity in entities]
    source = Input.model_validate({"document": text, "entities": given})
    return PreparedDocument(source, Configuration(language=Language(language), markup=markup))


def predicted(text, *entities, **configuration):
    """The entities of the response, linked to nothing."""
    document = prepared(text, *entities, **configuration)
    links = [Link(mention, 0.5, wikidata_id="Q1") for mention in document.task.mentions or ()]
    return document.prediction(links)


def placed(name, start, end):
    return {"entity_text": name, "start": start, "end": end}


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("Paris", "Paris, Parisian and Paris", ["Paris", "Paris"]),
        ("McDonald's", "McDonald\u2019s", ["McDonald\u2019s"]),
        ("Côte d\u2019Ivoire", "la Côte d'Ivoire", ["Côte d'Ivoire"]),
        ("São Paulo", unicodedata.normalize("NFD", "São Paulo"), ["Sa\u0303o Paulo"]),
        (unicodedata.normalize("NFD", "Zürich"), "in Zürich", ["Zürich"]),
        ("AT&amp;T", "AT&T", ["AT&T"]),
        ("AT&T", "<p>AT&amp;T</p>", ["AT&amp;T"]),
        ("New   York", "They flew to New\nYork last week.", ["New\nYork"]),
        ("angela merkel", "Angela Merkel", ["Angela Merkel"]),
        ("Barack Obama", "barack obama won", ["barack obama"]),
        ("Siemens", "SIEMENS: Siemens wins", ["SIEMENS", "Siemens"]),
        ("Turkey", "Turkey exports turkey.", ["Turkey"]),
        ("US", "They told us that the US left.", ["US"]),
        ("Merkel", "An<b>gela Mer</b>kel", ["Mer</b>kel"]),
        ("東京", "東京都", ["東京"]),
    ],
)
def test_given_names_are_found_as_they_are_written(name, text, there):
    entities = predicted(text, name).entities
    assert [text[entity.start : entity.end] for entity in entities] == there
    assert {entity.entity_text for entity in entities} == {name}


@pytest.mark.parametrize(
    ("name", "text"),
    [("US", "They told us."), ("Rome", "Romeo"), ("Paris Hilton", "Paris\n\nHilton")],
)
def test_other_words_are_no_occurrences(name, text):
    [lost] = predicted(text, name).entities
    assert (lost.start, lost.reason) == (None, "not_in_document")


@pytest.mark.parametrize(
    ("name", "start", "text"),
    [
        ("Paris", 3, "In Paris"),
        ("PARIS", 3, "In Paris"),
        ("New York", 0, "New\n\tYork"),
        ("McDonald's", 0, "McDonald\u2019s"),
        ("Zürich", 0, unicodedata.normalize("NFD", "Zürich")),
        ("AT&T", 3, "<p>AT&amp;T</p>"),
        ("Angela Merkel", 0, "Angela <b>Merkel"),
        ("Angela <b>Merkel", 0, "Angela <b>Merkel"),
    ],
)
def test_places_have_the_name_in_any_spelling(name, start, text):
    end = len(text.removesuffix("</p>"))
    [entity] = predicted(text, placed(name, start, end)).entities
    assert (entity.start, entity.end, entity.entity_text) == (start, end, name)


@pytest.mark.parametrize(
    ("name", "start", "end", "there"),
    [
        ("London", 3, 8, "Paris"),
        ("Paris", 3, 7, "Pari"),
        ("Paris", 0, 2, "In"),
        ("Paris", 2, 3, ""),
    ],
)
def test_place_with_another_text_is_refused_with_both(name, start, end, there):
    with pytest.raises(UsageError, match=name) as refused:
        prepared("In Paris", placed(name, start, end))
    assert repr(there) in str(refused.value)


def test_occurrences_are_bounded():
    names = ["a"] * 30
    assert len(predicted("a " * 1_000, "a").entities) == 1_000
    with pytest.raises(UsageError, match="occur more than 1,000 times"):
        prepared("a " * 100_000, *names)
    with pytest.raises(UsageError, match="occur more than 999 times"):
        prepared("a " * 1_000, "a", placed("a", 0, 1))


@pytest.mark.parametrize(
    ("text", "markup", "taken"),
    [
        ("<p>Paris</p>", "auto", "html"),
        ("Paris", "auto", "plain"),
        ("<p>Paris</p>", "plain", "plain"),
    ],
)
def test_prediction_tells_the_markup(text, markup, taken):
    assert predicted(text, "Paris", markup=markup).markup == taken
