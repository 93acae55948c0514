"""Fields and values of files, as they become those of a project."""

import io
import json
from typing import Literal

import pytest

from mesh.core.errors import UsageError
from mesh.data.account import Rejects
from mesh.data.dataset import AnnotatedText, ClassifiedText
from mesh.data.languages import is_same_language, iso_code
from mesh.data.offsets import Offsets
from mesh.data.raw_row import RawRow
from mesh.data.translation import Translation
from mesh.data.validation import RowReader


class Opinion(ClassifiedText):
    label: Literal["bad", "good"]


def test_fields_are_renamed_translated_and_filled_in() -> None:
    translation = Translation(
        rename={"sentence": "text"},
        values={"label": {"0": "bad", "1": "good"}},
        defaults={"language": "en", "domain": "x"},
    )
    file = io.StringIO()
    rejects = Rejects(file)
    raw = [
        RawRow(1, {"sentence": "one", "label": 1, "id": 7}),
        RawRow(2, {"sentence": "two", "label": 2}),
        RawRow(3, problem="not JSON", lines=4),
        RawRow(4, {"sentence": "caf\udce9", "label": "0"}),
    ]
    rows = list(RowReader(Opinion, translation, Offsets(), rejects).read(raw, "a.csv"))
    assert [(row.text, row.label, row.language) for row in rows] == [("one", "good", "en")]
    records = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(record["source"], record["line"]) for record in records] == [
        ("a.csv", 2),
        ("a.csv", 3),
        ("a.csv", 4),
    ]
    assert records[0]["reason"].startswith("label: Input should be 'bad' or 'good'")
    assert rejects.count == 6


def test_entity_whose_label_is_translated_to_nothing_is_left_out() -> None:
    translation = Translation(values={"label": {"geo-loc": "LOC", "other": None}})
    entities = [
        {"start": 0, "end": 1, "label": "geo-loc"},
        {"start": 2, "end": 3, "label": "other"},
    ]
    fields = translation.apply({"text": "a b", "entities": entities}, AnnotatedText)
    assert fields["entities"] == [{"start": 0, "end": 1, "label": "LOC"}]


STARS = {"1-2": "bad", "3": None, ">3": "good"}


@pytest.mark.parametrize(
    ("values", "value", "expected"),
    [
        ({"0": "bad", "1": "good"}, 1, "good"),
        ({"0": "bad", "1": "good"}, 0.0, "bad"),
        ({"0": "bad", "1": "good"}, "1.0", "good"),
        ({"0.0": "bad", "1.0": "good"}, 0, "bad"),
        ({"0.5": "bad"}, 0.5, "bad"),
        ({"false": "bad", "true": "good"}, False, "bad"),
        ({"False": "bad", "True": "good"}, True, "good"),
        ({"true": "good"}, "TRUE", "good"),
        ({" no ": "bad"}, "no", "bad"),
        (STARS, 2, "bad"),
        (STARS, "1.5", "bad"),
        (STARS, 4.5, "good"),
        ({"1..2": "bad", "3\N{EN DASH}5": "good"}, "5", "good"),
        ({"<= -1": "bad", ">= 1": "good"}, -1, "bad"),
        # Without a translation a value stays.
        ({"0": "bad"}, 2, 2),
        ({"1": "good"}, True, True),
        ({"a": "bad"}, "nan", "nan"),
    ],
)
def test_values_of_equal_meaning_match(
    values: dict[str, str | None], value: object, expected: object
) -> None:
    fields = Translation(values={"label": values}).apply({"label": value}, ClassifiedText)
    assert fields == {"label": expected}


def test_a_range_without_an_entity_leaves_it_out() -> None:
    fields = Translation(values={"label": STARS}).apply(
        {"entities": [{"label": 3}, {"label": 5}]}, AnnotatedText
    )
    assert fields == {"entities": [{"label": "good"}]}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"1-3": "bad", "3-5": "good"}, "ranges '1-3' and '3-5' for 'label', which overlap"),
        ({"<4": "bad", ">3": "good"}, "overlap"),
        ({"5-1": "bad"}, "empty range '5-1'"),
    ],
)
def test_ranges_that_say_nothing_clear_are_refused(
    values: dict[str, str | None], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        Translation(values={"label": values})


def test_a_field_renamed_onto_another_is_refused() -> None:
    translation = Translation(rename={"sentence": "text"})
    for fields in ({"sentence": "a", "text": "b"}, {"text": "b", "sentence": "a"}):
        with pytest.raises(UsageError, match="'sentence' 'text', but the data has a field 'text'"):
            translation.apply(fields, ClassifiedText)
    swapped = Translation(rename={"sentence": "text", "text": "domain"})
    assert swapped.apply({"text": "b", "sentence": "a"}, ClassifiedText) == {
        "text": "a",
        "domain": "b",
    }


@pytest.mark.parametrize("label", [{"label": ""}, {"label": None}, {}, {"entity_kind": "PER"}])
def test_an_entity_without_its_label_rejects_the_row(label: dict[str, str | None]) -> None:
    entity = {"start": 0, "end": 4, **label}
    fields = {"text": "Rosa is here", "language": "en", "domain": "news", "entities": [entity]}
    rejects = Rejects(io.StringIO())
    raw = [RawRow(1, fields)]
    reader = RowReader(AnnotatedText, Translation(), Offsets(), rejects)
    assert list(reader.read(raw, "a")) == []
    assert rejects.count == 1


def test_names_within_entities_are_renamed() -> None:
    translation = Translation(rename={"kind": "label"}, values={"label": {"person": "PER"}})
    entities = [{"start": 0, "end": 4, "kind": "person"}]
    assert translation.apply({"entities": entities}, AnnotatedText) == {
        "entities": [{"start": 0, "end": 4, "label": "PER"}]
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("en-US", "en"),
        ("en_GB", "en"),
        ("English", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("German", "de"),
        ("cmn", "zh"),
        ("zh-Hant", "zh"),
        ("nob", "nb"),
        ("fil", "fil"),
    ],
)
def test_languages_get_their_code(name: str, code: str) -> None:
    assert iso_code(name) == code


@pytest.mark.parametrize("name", ["", "xx", "q", "Quibblish", "12"])
def test_what_is_no_language_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="isn't a language"):
        iso_code(name)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("no", "nb", True),
        ("sr", "hr", True),
        ("ms", "id", True),
        ("en", "en", True),
        ("da", "nb", False),
    ],
)
def test_languages_that_texts_do_not_tell_apart(left: str, right: str, same: bool) -> None:
    assert is_same_language(left, right) is same
