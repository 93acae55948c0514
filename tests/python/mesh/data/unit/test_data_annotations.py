"""Exports of annotation tools, and the ways in which they count places."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.data.account import Rejects
from mesh.data.dataset import AnnotatedText, ClassifiedText
from mesh.data.formats import read_file
from mesh.data.offsets import Offsets, OffsetsCheck, span_problem
from mesh.data.raw_row import RawRow
from mesh.data.translation import Translation
from mesh.data.validation import RowReader

DEFAULTS = {"language": "en", "domain": "news"}
TEXT = "Rosa lives in Lima."
NAMES = [("Rosa", "PER"), ("Lima", "LOC")]
TAGGED = [
    {"orth": "Rosa", "ner": "U-PER"},
    {"orth": "lives", "ner": "O"},
    {"orth": "in"},
    {"orth": "Lima", "ner": "U-LOC"},
    {"orth": ".", "ner": "O"},
]
STUDIO = {
    "id": 1,
    "data": {"text": TEXT},
    "annotations": [
        {"was_cancelled": True, "result": []},
        {
            "result": [
                {
                    "type": "labels",
                    "value": {"start": 0, "end": 4, "text": "Rosa", "labels": ["PER"]},
                },
                {
                    "type": "labels",
                    "value": {"start": 14, "end": 18, "text": "Lima", "labels": ["LOC"]},
                },
            ]
        },
    ],
}


def reader(
    row: Any = AnnotatedText, offsets: str = "characters", **translation: Any
) -> tuple[RowReader[Any], io.StringIO]:
    written = io.StringIO()
    chosen = Translation(**{"defaults": DEFAULTS, **translation})
    return RowReader(row, chosen, Offsets.parse(offsets), Rejects(written)), written


def read_json(
    tmp_path: Path, content: Any, row: Any = AnnotatedText
) -> tuple[list[Any], list[str]]:
    """The rows of a JSON file, and the reasons of its rejects."""
    (tmp_path / "a.json").write_text(json.dumps(content))
    rows, written = reader(row)
    found = list(rows.read(read_file(tmp_path / "a.json", "json"), "a.json"))
    return found, [json.loads(line)["reason"] for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    "export",
    [
        pytest.param([STUDIO], id="label-studio"),
        pytest.param(
            [
                {
                    "text": TEXT,
                    "label": [
                        {"start": 0, "end": 4, "labels": ["PER"]},
                        {"start": 14, "end": 18, "labels": ["LOC"]},
                    ],
                }
            ],
            id="label-studio-min",
        ),
        pytest.param(
            [{"id": 1, "text": TEXT, "label": [[0, 4, "PER"], [14, 18, "LOC"]]}], id="doccano"
        ),
        pytest.param(
            [{"text": TEXT, "labels": [[0, 4, "PER"], [14, 18, "LOC"]]}], id="doccano-labels"
        ),
        pytest.param(
            [
                {
                    "text": TEXT,
                    "entities": [
                        {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 4},
                        {"id": 2, "label": "LOC", "start_offset": 14, "end_offset": 18},
                    ],
                    "relations": [],
                }
            ],
            id="doccano-relations",
        ),
        pytest.param(
            [
                {
                    "text": TEXT,
                    "answer": "accept",
                    "spans": [
                        {"start": 0, "end": 4, "label": "PER", "token_start": 0},
                        {"start": 14, "end": 18, "label": "LOC"},
                    ],
                }
            ],
            id="prodigy",
        ),
        pytest.param([[TEXT, {"entities": [[0, 4, "PER"], [14, 18, "LOC"]]}]], id="spacy-tuples"),
        pytest.param(
            [{"id": 0, "paragraphs": [{"raw": TEXT, "sentences": [{"tokens": TAGGED}]}]}],
            id="spacy-2",
        ),
        pytest.param(
            [
                {
                    "text": TEXT,
                    "ents": [
                        {"start": 0, "end": 4, "label": "PER"},
                        {"start": 14, "end": 18, "label": "LOC"},
                    ],
                    "tokens": [],
                }
            ],
            id="spacy-doc",
        ),
        pytest.param(
            [
                {
                    "text": TEXT,
                    "entities": [
                        {
                            "entity_type": "PER",
                            "entity_text": "Rosa",
                            "score": 0.9,
                            "sentence_index": 0,
                            "start": 0,
                            "end": 4,
                        },
                        {"entity_type": "LOC", "start": 14, "end": 18},
                    ],
                }
            ],
            id="ner-service",
        ),
    ],
)
def test_exports_become_texts_with_entities(tmp_path: Path, export: Any) -> None:
    [row], rejects = read_json(tmp_path, export)
    assert row.text == TEXT
    assert [(row.text[each.start : each.end], each.label) for each in row.entities] == NAMES
    assert rejects == []


@pytest.mark.parametrize(
    "export",
    [
        {"text": TEXT, "label": ["good"]},
        {"text": TEXT, "accept": ["good"], "answer": "accept", "options": []},
        {"text": TEXT, "cats": {"good": 0.9, "bad": 0.1}},
        {
            "data": {"text": TEXT},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": ["good"]}}]}],
        },
        {"text": TEXT, "label": "good"},
    ],
)
def test_exports_become_texts_with_a_label(tmp_path: Path, export: Any) -> None:
    [row], rejects = read_json(tmp_path, [export], ClassifiedText)
    assert (row.text, row.label, rejects) == (TEXT, "good", [])


@pytest.mark.parametrize(
    ("export", "row", "reason"),
    [
        ({"text": TEXT, "spans": [], "answer": "reject"}, AnnotatedText, "its answer is 'reject'"),
        ({"data": {"text": TEXT}, "annotations": []}, AnnotatedText, "it has no annotation"),
        ({"text": TEXT, "label": ["good", "bad"]}, ClassifiedText, "2 labels where one is needed"),
        (
            {"tokens": ["Rosa"], "ner_tags": [1]},
            AnnotatedText,
            "ner_tags are numbers without names",
        ),
        ({"tokens": ["Rosa"], "ner_tags": ["PER"]}, AnnotatedText, "'PER' isn't a tag"),
        (
            {"text": TEXT, "entities": [{"label": "PER", "start": "0", "end": 4}]},
            AnnotatedText,
            "no start and end",
        ),
        (
            {"text": TEXT, "entities": [{"kind": "PER", "start": 0, "end": 4}]},
            AnnotatedText,
            "label: Field required",
        ),
        (
            {"text": TEXT, "entities": [[1, 4, "PER"]]},
            AnnotatedText,
            "'osa', begins or ends within a word",
        ),
        (
            {"text": TEXT, "entities": [[0, 5, "PER"]]},
            AnnotatedText,
            "begins or ends with white space",
        ),
        ({"text": TEXT, "entities": [[14, 99, "LOC"]]}, AnnotatedText, "not within a text of 19"),
        (
            {"text": TEXT, "entities": [{"label": "PER", "start": 0, "end": 4, "text": "Lima"}]},
            AnnotatedText,
            "is 'Rosa', not 'Lima'",
        ),
        (
            {"raw": TEXT, "sentences": [{"tokens": [{"orth": "Ana", "ner": "O"}]}]},
            AnnotatedText,
            "'Ana' isn't in its text",
        ),
    ],
)
def test_what_can_not_be_used_is_rejected_with_the_reason(
    tmp_path: Path, export: Any, row: Any, reason: str
) -> None:
    rows, [found] = read_json(tmp_path, [export], row)
    assert rows == []
    assert reason in found


def test_columns_of_tokens_get_names_from_the_settings_or_the_file(tmp_path: Path) -> None:
    fields: dict[str, list[Any]] = {"id": ["7"], "tokens": [["Rosa", "left"]], "ner_tags": [[1, 0]]}
    rows, _ = reader(values={"ner_tags": {"0": "O", "1": "B-PER"}})
    [row] = rows.read([RawRow(1, {name: value[0] for name, value in fields.items()})], "a")
    assert (row.text, [each.label for each in row.entities]) == ("Rosa left", ["PER"])

    names = {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["O", "B-PER"]}}
    metadata = {"huggingface": json.dumps({"info": {"features": {"ner_tags": names}}})}
    pq.write_table(pa.table(fields).replace_schema_metadata(metadata), tmp_path / "train.parquet")
    rows, _ = reader()
    [again] = rows.read(read_file(tmp_path / "train.parquet", "parquet"), "a")
    assert again == row


OFFSETS = [
    str(Offsets(unit, first, end))
    for unit in ("characters", "utf16", "bytes")
    for first in (0, 1)
    for end in (False, True)
]


@pytest.mark.parametrize("name", OFFSETS)
@given(
    words=st.lists(st.text("aé😀漢", min_size=1, max_size=4), min_size=2, max_size=5),
    data=st.data(),
)
def test_places_are_read_as_they_were_counted(
    name: str, words: list[str], data: st.DataObject
) -> None:
    offsets = Offsets.parse(name)
    text = " ".join(words)
    number = data.draw(st.integers(0, len(words) - 1))
    start = sum(len(word) + 1 for word in words[:number])
    end = start + len(words[number])

    def count(part: str) -> int:
        if offsets.unit == "bytes":
            return len(part.encode())
        return len(part.encode("utf-16-le")) // 2 if offsets.unit == "utf16" else len(part)

    written = (
        count(text[:start]) + offsets.first,
        count(text[:end]) + offsets.first - offsets.is_inclusive,
    )
    assert offsets.places(text).span(*written) == (start, end)


@pytest.mark.parametrize("name", [name for name in OFFSETS if name != "characters"])
def test_the_way_in_which_nearly_all_fit_is_named(name: str) -> None:
    offsets = Offsets.parse(name)
    check = OffsetsCheck(Offsets())
    for number in range(40):
        text = f"Ünal met Rosa 😀 on day {number}, and Zoë 😀😀 with Ada"
        surfaces = ("Rosa", "Zoë", "Ada")
        check.add(text, [_written(text, surface, offsets) for surface in surfaces])
    assert check.advice() == f"nearly all entities fit as {name}: set INGEST_OFFSETS={name}"


def _written(text: str, surface: str, offsets: Offsets) -> dict[str, int]:
    start = text.index(surface)
    encoding = {"bytes": "utf-8", "utf16": "utf-16-le", "characters": "utf-32-le"}[offsets.unit]
    width = {"bytes": 1, "utf16": 2, "characters": 4}[offsets.unit]
    places = [len(text[:at].encode(encoding)) // width for at in (start, start + len(surface))]
    return {
        "start": places[0] + offsets.first,
        "end": places[1] + offsets.first - offsets.is_inclusive,
    }


def test_no_advice_where_the_places_fit_or_nothing_does() -> None:
    fitting, random = OffsetsCheck(Offsets()), OffsetsCheck(Offsets())
    for _ in range(10):
        fitting.add(TEXT, [{"start": 0, "end": 4}])
        random.add(TEXT, [{"start": 2, "end": 7}])
    assert (fitting.advice(), random.advice()) == ("", "")


@pytest.mark.parametrize("name", ["utf8", "from-2", ""])
def test_unknown_ways_to_count_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="isn't a way to count"):
        Offsets.parse(name)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("北京是首都", 0, 2),
        ("#Lima rocks", 1, 5),
        ("US-Präsident", 0, 2),
        ("l'Aquila", 2, 8),
        ("हिन्दी है", 0, 6),
    ],
)
def test_borders_between_words_are_fine(text: str, start: int, end: int) -> None:
    assert span_problem(text, start, end) == ""
