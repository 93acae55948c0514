"""Exports of tools of every kind: the rows that are taken, and the reasons of the others."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh.data.dataset import AnnotatedText
from small_files import STARS, TALE, Opinion, ingest, lines, parquet, shown


# ruff: noqa: RUF001 - Signs of other scripts look like Latin ones.
def task(*results: dict[str, Any], **data: Any) -> dict[str, Any]:
    """A task of Label Studio with one annotation."""
    return {"data": {"text": TALE, **data}, "annotations": [{"result": list(results)}]}


def span(start: int, end: int, **labels: Any) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": start, "end": end, **labels}}


NORA = [(TALE, [("Nora", "PER")])]
BY_LABEL = {"labels": ["PER"]}
NO_ENTITIES: list[dict[str, Any]] = [{}, {"entities": None}, {"entities": {}}, {"entities": "PER"}]
NO_LABELS: list[dict[str, Any]] = [
    {},
    {"label": ""},
    {"label": " "},
    {"label": None},
    {"label": 3},
    {"klass": "PER"},
]
DISAGREEING = {
    "data": {"text": TALE},
    "annotations": [{"result": []}, {"result": [span(0, 4, **BY_LABEL)]}],
}


@pytest.mark.parametrize(
    ("content", "expected", "reason"),
    [
        pytest.param(task(span(0, 4, **BY_LABEL)), NORA, "", id="label-studio"),
        pytest.param(
            task(span(0, 4, **BY_LABEL), label="old"), NORA, "", id="label-studio-other-label"
        ),
        pytest.param(task(), [(TALE, [])], "", id="label-studio-without-a-name"),
        pytest.param(
            task(
                {
                    "type": "hypertextlabels",
                    "value": {"start": "/p[1]", "startOffset": 0, "hypertextlabels": ["PER"]},
                }
            ),
            [],
            "no start and end",
            id="label-studio-html",
        ),
        pytest.param(
            task(span(0, 4, labels=["PER", "LOC"])),
            [],
            "2 labels where one is needed",
            id="label-studio-two-labels",
        ),
        pytest.param(DISAGREEING, [], "its 2 annotations differ", id="label-studio-disagreement"),
        pytest.param(
            {
                **DISAGREEING,
                "annotations": [
                    {"result": []},
                    {"result": [span(0, 4, **BY_LABEL)], "ground_truth": True},
                ],
            },
            NORA,
            "",
            id="label-studio-ground-truth",
        ),
        pytest.param(
            {"data": {"text": TALE}, "annotations": [], "predictions": [{}]},
            [],
            "no annotation",
            id="label-studio-unannotated",
        ),
        pytest.param(
            {"data": {"text": TALE}, "annotations": [None]}, [], "malformed", id="label-studio-null"
        ),
        pytest.param(
            {"text": TALE, "names": [{"start": 0, "end": 4, "text": "Nora", **BY_LABEL}]},
            NORA,
            "",
            id="renamed-spans",
        ),
        pytest.param(
            {"text": TALE, "entities": [], "label": [[0, 4, "PER"]]},
            NORA,
            "",
            id="doccano-and-empty-entities",
        ),
        pytest.param(
            {"text": TALE, "label": [[0, 4, "PER"]], "Comments": []}, NORA, "", id="doccano"
        ),
        pytest.param(
            {
                "text": TALE,
                "spans": [{"start": 0, "end": 4, "label": "PER"}],
                "tokens": [{"text": "Nora"}],
                "answer": "accept",
            },
            NORA,
            "",
            id="prodigy",
        ),
        pytest.param(
            {"text": TALE, "spans": [], "answer": "ignore"},
            [],
            "its answer is 'ignore'",
            id="prodigy-ignored",
        ),
        pytest.param([TALE, {"entities": [[0, 4, "PER"]]}], NORA, "", id="spacy-tuple"),
        pytest.param(
            {"text": TALE, "ents": [{"start": 0, "end": 4, "label": "PER"}], "tokens": [{"id": 0}]},
            NORA,
            "",
            id="spacy-doc",
        ),
        pytest.param(
            {"tokens": ["Nora", "met"], "ner_tags": ["B-PER", "O"]},
            [("Nora met", [("Nora", "PER")])],
            "",
            id="hugging-face",
        ),
        pytest.param(
            {"tokens": ["Nora", "met"], "ner_tags": [1, 0]},
            [],
            "numbers without names",
            id="hugging-face-numbers",
        ),
        pytest.param(
            {"tokens": ["Nora", "met"], "ner_tags": ["O"]},
            [],
            "2 tokens, but 1 ner_tags",
            id="hugging-face-lengths",
        ),
        pytest.param(
            {"tokens": ["Nora"], "ner_tags": [None]}, [], "isn't a tag", id="hugging-face-null"
        ),
        pytest.param(
            {
                "text": TALE,
                "entities": [{"start": 0, "end": 4, "entity_type": "PER", "entity_text": "Nora"}],
            },
            NORA,
            "",
            id="service",
        ),
        pytest.param(
            {"text": TALE, "entities": [{"start": 0.0, "end": 4.0, "kind": "PER"}]},
            NORA,
            "",
            id="renamed-label",
        ),
        *(
            pytest.param(
                {"text": TALE, "entities": [{"start": 0, "end": 4, **label}]},
                [],
                "entities.0.label",
                id=f"label-{label}",
            )
            for label in NO_LABELS
        ),
        *(
            pytest.param({"text": TALE, **missing}, [], "entities", id=f"entities-{missing}")
            for missing in NO_ENTITIES
        ),
        pytest.param(
            {"text": TALE, "entities": [[0, 4, "PER"], [0, 8, "PER"]]},
            [],
            "overlaps another",
            id="overlap",
        ),
        pytest.param(
            {"text": TALE, "entities": [[1, 4, "PER"]]}, [], "within a word", id="within-a-word"
        ),
        pytest.param(
            {"text": TALE, "entities": [[0, 99, "PER"]]}, [], "not within a text", id="beyond"
        ),
        pytest.param(
            {"text": TALE, "entities": [{"start": 0, "end": 4, "text": "Ada", "label": "PER"}]},
            [],
            "is 'Nora', not 'Ada'",
            id="other-text",
        ),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_names_as_tools_export_them(
    tmp_path: Path, content: object, expected: object, reason: str, form: str
) -> None:
    written = lines(content) if form == "jsonl" else json.dumps([content], indent=2)
    rows, reasons, account, _ = ingest(
        tmp_path,
        f"a.{form}",
        written.encode(),
        AnnotatedText,
        rename={"names": "entities", "kind": "label"},
    )
    assert [shown(row) for row in rows] == expected
    assert account.read == 1
    assert [reason in each for each in reasons] == ([True] if reason else [])


@pytest.mark.parametrize(
    ("content", "expected", "reason"),
    [
        pytest.param(task({"value": {"choices": ["positive"]}}), "positive", "", id="label-studio"),
        pytest.param(task({"value": {"rating": 4}}), "positive", "", id="label-studio-rating"),
        pytest.param(task(label="positive"), "", "0 labels", id="label-studio-without-a-choice"),
        pytest.param({"text": TALE, "label": ["positive"]}, "positive", "", id="doccano"),
        pytest.param(
            {"text": TALE, "label": ["positive", "negative"]}, "", "2 labels", id="doccano-two"
        ),
        pytest.param(
            {"text": TALE, "accept": ["positive"], "answer": "accept"}, "positive", "", id="prodigy"
        ),
        pytest.param(
            {"text": TALE, "accept": [], "answer": "accept"}, "", "0 labels", id="prodigy-none"
        ),
        pytest.param(
            {"text": TALE, "cats": {"positive": 0.7, "negative": 0.3}}, "positive", "", id="spacy"
        ),
        pytest.param(
            {"text": TALE, "cats": {"positive": 1, "negative": 1}}, "", "2 labels", id="spacy-tie"
        ),
        pytest.param(
            {"text": TALE, "cats": {"positive": 0, "negative": 0}}, "", "0 labels", id="spacy-none"
        ),
        pytest.param(
            {"text": TALE, "cats": {"positive": "much"}}, "", "could not convert", id="spacy-words"
        ),
    ],
)
def test_labels_as_tools_export_them(
    tmp_path: Path, content: object, expected: str, reason: str
) -> None:
    rows, reasons, _, _ = ingest(
        tmp_path, "a.jsonl", lines(content).encode(), Opinion, values=STARS
    )
    assert [row.label for row in rows] == ([expected] if expected else [])
    assert [reason in each for each in reasons] == ([True] if reason else [])


def test_spans_in_a_table(tmp_path: Path) -> None:
    spans = json.dumps([{"start": 0, "end": 4, "text": "Nora", "labels": ["PER"]}])
    written = io.StringIO()
    csv.writer(written).writerows([("text", "label"), (TALE, spans)])
    rows, _, _, _ = ingest(tmp_path, "a.csv", written.getvalue().encode(), AnnotatedText)
    assert [shown(row) for row in rows] == NORA


@pytest.mark.parametrize("written", [json.dumps, repr])
def test_tokens_in_a_table(tmp_path: Path, written: Callable[[list[str]], str]) -> None:
    cells = [written(each) for each in (["Nora", "isn't", "in"], ["B-PER", "O", "O"])]
    table = io.StringIO()
    csv.writer(table).writerows([("tokens", "ner_tags"), cells])
    rows, reasons, _, _ = ingest(tmp_path, "a.csv", table.getvalue().encode(), AnnotatedText)
    assert [shown(row) for row in rows] == [("Nora isn't in", [("Nora", "PER")])]
    assert not reasons


def test_numbers_of_tags_beyond_their_names_are_rejected(tmp_path: Path) -> None:
    features = {"ner_tags": {"feature": {"names": ["O", "B-PER"]}}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    columns: dict[str, list[Any]] = {
        "tokens": [["Nora"], ["Ada"], ["Eva"]],
        "ner_tags": [[1], [2], [-1]],
    }
    rows, reasons, _, _ = ingest(tmp_path, "a.parquet", parquet(columns, metadata), AnnotatedText)
    assert [shown(row) for row in rows] == [("Nora", [("Nora", "PER")])]
    assert len(reasons) == 2


MEASURES: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf16": lambda text: len(text.encode("utf-16-le")) // 2,
    "bytes": lambda text: len(text.encode()),
}


@pytest.mark.parametrize("unit", MEASURES)
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("inclusive", [False, True])
def test_places_in_every_unit(tmp_path: Path, unit: str, first: int, inclusive: bool) -> None:
    names = ["Nora", "Kōji", "Łódź"]
    entities = [
        {
            "start": MEASURES[unit](TALE[: TALE.index(name)]) + first,
            "end": MEASURES[unit](TALE[: TALE.index(name) + len(name)]) + first - inclusive,
            "label": "X",
        }
        for name in names
    ]
    content = lines({"text": TALE, "entities": entities}).encode()
    parts = [
        *([unit] * (unit != "characters")),
        *(["from-1"] * first),
        *(["inclusive"] * inclusive),
    ]
    setting = ",".join(parts) or "characters"
    _, reasons, _, advice = ingest(tmp_path, "a.jsonl", content, AnnotatedText)
    if setting != "characters":
        assert len(reasons) == 1
        assert advice.endswith(f"set INGEST_OFFSETS={setting}")
    rows, reasons, _, advice = ingest(tmp_path, "a.jsonl", content, AnnotatedText, offsets=setting)
    assert [shown(row) for row in rows] == [(TALE, [(name, "X") for name in names])]
    assert not reasons
    assert not advice
