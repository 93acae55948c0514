"""Small files of every kind: the rows that are taken, and the reasons of the others."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.core.errors import MeshError, UsageError
from mesh.data.account import Account, Rejects
from mesh.data.dataset import AnnotatedText, ClassifiedText, TextRow
from mesh.data.formats import Reading, read_file
from mesh.data.offsets import Offsets
from mesh.data.sources import find_files
from mesh.data.translation import Translation
from mesh.data.validation import RowReader

# ruff: noqa: RUF001 - Signs of other scripts look like Latin ones.
DEFAULTS = {"language": "en", "domain": "news"}
STARS = {"label": {"1-2": "negative", "3": "neutral", "4-5": "positive"}}
BY_NUMBER = {"label": {"0": "negative", "1": "positive"}}
BY_TRUTH = {"label": {"false": "negative", "True": "positive"}}
TALE = "Nora met Kōji 😀 near Łódź."


class Opinion(ClassifiedText):
    label: Literal["negative", "neutral", "positive"]


def ingest(
    folder: Path, name: str, content: bytes, row: type[TextRow], **how: Any
) -> tuple[list[Any], list[str], Account, str]:
    """The rows of a file as the project's, the reasons of the others, the account, the advice."""
    (folder / name).write_bytes(content)
    [file] = find_files(str(folder / name))
    reading = Reading(
        **{key: how.pop(key) for key in ("columns", "delimiter", "encoding") if key in how}
    )
    offsets = Offsets.parse(how.pop("offsets", "characters"))
    written = io.StringIO()
    rejects = Rejects(written)
    reader = RowReader(row, Translation(**{"defaults": DEFAULTS, **how}), offsets, rejects)
    with file.local(folder) as path:
        rows = list(reader.read(read_file(path, str(file.format), reading), name))
    reasons = [json.loads(line)["reason"] for line in written.getvalue().splitlines()]
    return rows, reasons, rejects.account(len(rows)), reader.check.advice()


def shown(row: Any) -> tuple[str, Any]:
    """A row's text with its label or its names."""
    if isinstance(row, AnnotatedText):
        return row.text, [(row.text[each.start : each.end], each.label) for each in row.entities]
    return row.text, row.label


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


ULM = [("Nora in Ulm", [("Nora", "PER"), ("Ulm", "LOC")])]
TWO = [("Nora in", [("Nora", "PER")]), ("Ulm is", [("Ulm", "LOC")])]


@pytest.mark.parametrize(
    ("content", "expected", "reasons"),
    [
        pytest.param(
            "#\thttp://x.org [2011]\n1\tNora\tB-PER\tO\n2\tin\tO\tO\n3\tUlm\tB-LOC\tB-LOCderiv\n",
            ULM,
            [],
            id="germeval",
        ),
        pytest.param(
            "1\tNora\tB-PER\n2\tin\tO\n\n3\tUlm\tB-LOC\n4\tis\tO\n",
            TWO,
            [],
            id="counter-of-the-file",
        ),
        pytest.param(
            "1 Nora B-PER\n1 in O\n\n2 Ulm B-LOC\n2 is O\n", TWO, [], id="number-of-the-sentence"
        ),
        pytest.param(
            "s1 Nora B-PER\ns1 in O\n\ns2 Ulm B-LOC\ns2 is O\n", TWO, [], id="name-of-the-sentence"
        ),
        pytest.param(
            "1\tNora\tB-PER\n2\tin\tO\n2\tUlm\tB-LOC\n", ULM, [], id="counter-with-a-mistake"
        ),
        pytest.param(
            "0 4 Nora B-PER\n5 7 in O\n8 11 Ulm B-LOC\n", ULM, [], id="places-before-tokens"
        ),
        pytest.param(
            "Nora 0 4 B-PER\nin 5 7 O\nUlm 8 11 B-LOC\n", ULM, [], id="places-after-tokens"
        ),
        pytest.param("NN Nora B-PER\nIN in O\nNN Ulm B-LOC\n", ULM, [], id="parts-of-speech-first"),
        pytest.param(
            "-DOCSTART- -X- O\nNora -X- _ B-PER\nin -X- _ O\n\nUlm -X- _ B-LOC\nis -X- _ O\n",
            TWO,
            [],
            id="label-studio-conll",
        ),
        pytest.param(
            "# id 7-a\tdomain=en\nNora _ _ B-PER\nin _ _ O\n\n# id 8\tdomain=en\nUlm _ _ B-LOC\nis _ _ O\n",
            TWO,
            [],
            id="multiconer",
        ),
        pytest.param("Nora B-PER\nin O\nUlm\tB-LOC\n", ULM, [], id="tabs-in-some-lines"),
        pytest.param("Nora \t B-PER\nin\t O\nUlm\tB-LOC\n", ULM, [], id="spaces-around-tabs"),
        pytest.param(
            "Nora I-PER\nAda B-PER\nUlm I-LOC\nRom B-LOC\n",
            [
                (
                    "Nora Ada Ulm Rom",
                    [("Nora", "PER"), ("Ada", "PER"), ("Ulm", "LOC"), ("Rom", "LOC")],
                )
            ],
            [],
            id="iob1-adjacent",
        ),
        pytest.param(
            "Nora S-PER\nBad B-LOC\nUlm E-LOC\n",
            [("Nora Bad Ulm", [("Nora", "PER"), ("Bad Ulm", "LOC")])],
            [],
            id="iobes",
        ),
        pytest.param(
            "Nora U-PER\nBad B-LOC\nUlm L-LOC\n",
            [("Nora Bad Ulm", [("Nora", "PER"), ("Bad Ulm", "LOC")])],
            [],
            id="bilou",
        ),
        pytest.param("Nora B-PER\nin O\n\nUlm B-LOC\nis O", TWO, [], id="no-line-end"),
        pytest.param(
            "id\tword\tpos_tag\tner\n1\tNora\tNN\tB-PER\n2\tin\tIN\tO\n3\tUlm\tNN\tB-LOC\n",
            ULM,
            [],
            id="header-of-four",
        ),
        pytest.param("Token\tTag\nNora\tB-PER\nin\tO\n\nUlm\tB-LOC\nis\tO\n", TWO, [], id="header"),
        pytest.param(
            "# token tag\nNora B-PER\nin O\n\nUlm B-LOC\nis O\n", TWO, [], id="header-as-comment"
        ),
        pytest.param(
            "1\tNora\tB-PER\t-\t-\n2-3\tinUlm\t_\t-\t-\n2\tin\tO\t-\t-\n3\tUlm\tB-LOC\t-\t-\n",
            ULM,
            [],
            id="uner",
        ),
        pytest.param(
            "Nora\tB-person\n@ada\tO\n#fun\tO\n",
            [("Nora @ada #fun", [("Nora", "person")])],
            [],
            id="wnut",
        ),
        pytest.param("Nora\tB-PER\t\nin\tO\tx\nUlm\tB-LOC\tx\n", ULM, [], id="empty-last-column"),
        pytest.param("Nora\tB-PER\r\nin\tO\r\nUlm\tB-LOC\r\n", ULM, [], id="crlf"),
        pytest.param(
            "Nora\tB-PER\tSpaceAfter=No\n,\tO\t_\nUlm\tB-LOC\t_\n",
            [("Nora, Ulm", [("Nora", "PER"), ("Ulm", "LOC")])],
            [],
            id="space-after",
        ),
        pytest.param(
            "-DOCSTART- O\nNora B-PER\nin O\n-DOCSTART- O\nUlm B-LOC\nis O\n",
            TWO,
            [],
            id="documents-without-empty-lines",
        ),
        pytest.param(
            "Nora B-PER\nin 0\n\nUlm B-LOC\nis O\nbig O\n",
            [("Ulm is big", [("Ulm", "LOC")])],
            ["not a token with a tag in column 2: 'in 0'"],
            id="zero-for-o",
        ),
        pytest.param(
            "New York B-LOC\nis O\n\nUlm B-LOC\nis O\n",
            [("Ulm is", [("Ulm", "LOC")])],
            ["3 columns instead of 2: 'New York B-LOC'"],
            id="space-in-a-token",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tokens(
    tmp_path: Path, content: str, expected: object, reasons: list[str], encoding: str
) -> None:
    rows, found, account, _ = ingest(tmp_path, "a.conll", content.encode(encoding), AnnotatedText)
    assert [shown(row) for row in rows] == expected
    assert found == reasons
    assert account.read == len(rows) + len(reasons)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Köln\tB-LOC\nund\tO\nÄrger\tO\nfür\tO\n", "cp1252"),
        ("東京\tB-LOC\nで\tO\n会議\tO\nが\tO\n開かれた\tO\n", "shift-jis"),
        ("Łódź\tB-LOC\nświeci\tO\nżółto\tO\n", "cp1250"),
        ("Москва\tB-LOC\nсегодня\tO\nпразднует\tO\n", "cp1251"),
    ],
)
def test_tokens_in_older_encodings(tmp_path: Path, content: str, encoding: str) -> None:
    [row], reasons, _, _ = ingest(tmp_path, "a.conll", content.encode(encoding), AnnotatedText)
    tokens = [line.split("\t")[0] for line in content.splitlines()]
    assert shown(row) == (" ".join(tokens), [(tokens[0], "LOC")])
    assert not reasons


UNKNOWN = "label: Input should be 'negative', 'neutral' or 'positive'; unknown label "
GOOD_BAD = [("good, really", "positive"), ("bad", "negative")]


@pytest.mark.parametrize(
    ("name", "content", "expected", "reasons"),
    [
        pytest.param(
            "a.csv", "text;stars\r\ngood, really;5\r\nbad;1\r\n", GOOD_BAD, [], id="excel"
        ),
        pytest.param(
            "a.csv",
            "sep=;\r\ntext;stars\r\ngood, really;5\r\nbad;1\r\n",
            GOOD_BAD,
            [],
            id="excel-sep",
        ),
        pytest.param(
            "a.csv", "text;stars\ngood, really;4,5\nbad;1,0\n", GOOD_BAD, [], id="decimal-comma"
        ),
        pytest.param(
            "a.csv", "text;stars;;\ngood, really;5;;\nbad;1;;\n", GOOD_BAD, [], id="empty-columns"
        ),
        pytest.param(
            "a.csv",
            "text;stars\ngood, really;5;\nbad;1;;\n",
            GOOD_BAD,
            [],
            id="empty-cells-at-the-end",
        ),
        pytest.param(
            "a.csv", ',text,stars\n0,"good, really",5\n1,bad,1\n', GOOD_BAD, [], id="index"
        ),
        pytest.param("a.csv", "text|stars\ngood, really|5.0\nbad| 1 \n", GOOD_BAD, [], id="pipe"),
        pytest.param(
            "a.csv", 'text,stars\n"good, really",5\n\n\nbad,1', GOOD_BAD, [], id="empty-lines"
        ),
        pytest.param(
            "a.tsv",
            '"text"\t"stars"\n"good, really"\t"5"\n"bad"\t"1"\n',
            GOOD_BAD,
            [],
            id="tsv-in-quotes",
        ),
        pytest.param(
            "a.tsv",
            'text\tstars\n"good, really\t5\nbad\t1\n',
            [('"good, really', "positive"), ("bad", "negative")],
            [],
            id="tsv-stray-quote",
        ),
        pytest.param(
            "a.csv",
            'text,stars\n"good, \\"really\\"",5\nbad,1\n',
            [('good, "really"', "positive"), ("bad", "negative")],
            [],
            id="backslash",
        ),
        pytest.param(
            "a.csv",
            'text,stars\nA 5" screen,5\nbad,1\n',
            [('A 5" screen', "positive"), ("bad", "negative")],
            [],
            id="inches",
        ),
        pytest.param(
            "a.csv",
            'text,stars\nbad,1\n"good,5\nso,3\n',
            [("bad", "negative")],
            ["not CSV: unexpected end of data"],
            id="open-quote",
        ),
        pytest.param(
            "a.csv",
            "text,stars\nbad,1,x\nso,3\nbad\n",
            [("so", "neutral")],
            ["3 columns instead of 2", "1 columns instead of 2"],
            id="other-widths",
        ),
        pytest.param(
            "a.csv",
            "text,stars\nbad,6\nso,\n",
            [],
            [f"{UNKNOWN}'6'", f"{UNKNOWN}''"],
            id="no-range",
        ),
        pytest.param(
            "a.csv",
            "text,stars\nbad,Positiv\n",
            [],
            [f"{UNKNOWN}'Positiv', did you mean 'positive'?"],
            id="did-you-mean",
        ),
        pytest.param("a.csv", "text,stars\n", [], [], id="header-only"),
        pytest.param("a.csv", "", [], [], id="empty"),
        pytest.param(
            "a.csv",
            "text,stars\nb\0ad,1\nso,3\n",
            [("b\0ad", "negative"), ("so", "neutral")],
            [],
            id="zero-byte",
        ),
    ],
)
def test_tables(
    tmp_path: Path, name: str, content: str, expected: object, reasons: list[str]
) -> None:
    rows, found, account, _ = ingest(
        tmp_path, name, content.encode(), Opinion, rename={"stars": "label"}, values=STARS
    )
    assert [shown(row) for row in rows] == expected
    assert found == reasons
    assert account.read == account.taken + sum(each.rows for each in account.dropped.values())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Schön, aber ärgerlich für Köln – „naja“ 5 €", "cp1252"),
        ("Größe 42½, für Köln völlig ausreichend", "cp1252"),
        ("Für 5 € völlig ausreichend, größer als gedacht", "iso8859-15"),
        ("とても良い商品です。また買います", "shift-jis"),
        ("这个产品很好，我很喜欢", "gb18030"),
        ("정말 좋은 제품입니다", "euc-kr"),
        ("Wspaniały zakup, żółty świetnie się sprawdził", "cp1250"),
        ("Πολύ καλό προϊόν, το συνιστώ", "cp1253"),
        ("Déçu, mais l'été à Besançon", "utf-16-be"),
    ],
)
def test_tables_in_older_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    content = f"text;label\r\n{text};positive\r\nso;neutral\r\n".encode(encoding)
    rows, reasons, _, _ = ingest(tmp_path, "a.csv", content, Opinion)
    assert [shown(row) for row in rows] == [(text, "positive"), ("so", "neutral")]
    assert not reasons


@pytest.mark.parametrize(
    ("values", "value", "expected"),
    [
        *((BY_NUMBER, value, "negative") for value in (0, 0.0, "0", "0.0", " 0 ", "-0", "00")),
        *((BY_NUMBER, value, "positive") for value in (1, 1.0, "1", "1,0", "1e0")),
        *((BY_TRUTH, value, "negative") for value in (False, "false", "FALSE", " False")),
        *((BY_TRUTH, value, "positive") for value in (True, "true", "TRUE")),
        *((STARS, value, "positive") for value in (5, "4.5", "4,5", 4.0)),
        *((STARS, value, None) for value in (3.5, 0, "five", True, None, {"stars": 5})),
        ({"label": {str(2**53): "positive", str(2**53 + 1): "negative"}}, 2**53 + 1, "negative"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_labels(
    tmp_path: Path, values: Any, value: object, expected: str | None, form: str
) -> None:
    row = {"text": "so", "label": value}
    content = (
        lines(row).encode() if form == "jsonl" else _parquet({"text": ["so"], "label": [value]})
    )
    rows, reasons, _, _ = ingest(tmp_path, f"a.{form}", content, Opinion, values=values)
    assert [each.label for each in rows] == ([expected] if expected else [])
    assert len(reasons) == (0 if expected else 1)


def _parquet(columns: Mapping[str, list[Any]], metadata: dict[str, str] | None = None) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(dict(columns)).replace_schema_metadata(metadata), written)
    return written.getvalue()


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


def test_numbers_of_tags_beyond_their_names_are_rejected(tmp_path: Path) -> None:
    features = {"ner_tags": {"feature": {"names": ["O", "B-PER"]}}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    columns: dict[str, list[Any]] = {
        "tokens": [["Nora"], ["Ada"], ["Eva"]],
        "ner_tags": [[1], [2], [-1]],
    }
    rows, reasons, _, _ = ingest(tmp_path, "a.parquet", _parquet(columns, metadata), AnnotatedText)
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


@pytest.mark.parametrize(
    ("name", "content", "how", "sentence"),
    [
        ("a.csv", b"text;text;label\n", {}, "The columns 1 and 2 are both called 'text'"),
        ("a.parquet", b"", {}, "The columns 1 and 2 are both called 'text'"),
        (
            "a.csv",
            b"text,review,label\na,b,c\n",
            {"rename": {"review": "text"}},
            "has a field 'text', too",
        ),
        (
            "a.csv",
            b"title,review,label\na,b,c\n",
            {"rename": {"review": "text", "title": "text"}},
            "makes both 'review' and 'title' 'text'",
        ),
        (
            "a.csv",
            b"",
            {"values": {"label": {"1": "positive", "1.0": "negative"}}},
            "two translations of '1.0'",
        ),
        ("a.csv", b"\x1f\x8b\x08\x00", {}, "is compressed"),
        ("a.csv.zip", b"text", {}, "can't be unpacked"),
        ("a.csv.zst", b"text", {}, "damaged"),
        ("a.json", b"{", {}, "isn't JSON"),
    ],
)
def test_what_is_unclear_or_damaged_is_refused(
    tmp_path: Path, name: str, content: bytes, how: Any, sentence: str
) -> None:
    if name.endswith("parquet"):
        written = io.BytesIO()
        pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), written)
        content = written.getvalue()
    with pytest.raises((MeshError, UsageError), match=sentence):
        ingest(tmp_path, name, content, Opinion, **how)


def test_two_fields_of_one_name_in_an_object_are_a_reject(tmp_path: Path) -> None:
    content = b'{"text": "so", "label": "positive", "label": "negative"}\n'
    rows, reasons, _, _ = ingest(tmp_path, "a.jsonl", content, Opinion)
    assert (rows, reasons) == ([], ["not JSON: two fields are called 'label'"])


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("as_list", [False, True])
def test_lists_and_lines_of_objects_are_read_whatever_their_name(
    tmp_path: Path, name: str, as_list: bool
) -> None:
    values = [{"text": "so", "label": "neutral"}, {"text": "bad", "label": "negative"}]
    content = json.dumps(values, indent=1) if as_list else lines(*values)
    rows, reasons, _, _ = ingest(tmp_path, name, content.encode(), Opinion)
    assert [shown(row) for row in rows] == [("so", "neutral"), ("bad", "negative")]
    assert not reasons


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ger", "de"),
        ("zho", "zh"),
        ("cmn", "zh"),
        ("German", "de"),
        ("français", "fr"),
        ("nob", "nb"),
        ("pt_BR", "pt"),
        ("iw", "he"),
        *((code, "") for code in ("und", "mul", "zxx", "xx", "ua", "jp", "e", "n/a", "")),
    ],
)
def test_languages(tmp_path: Path, language: str, expected: str) -> None:
    content = lines({"text": "so", "label": "neutral", "language": language}).encode()
    rows, reasons, _, _ = ingest(tmp_path, "a.jsonl", content, Opinion)
    assert [row.language for row in rows] == ([expected] if expected else [])
    assert len(reasons) == (0 if expected else 1)


PIECES = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\n\n",
        b",",
        b";",
        b"\t",
        b" ",
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"text",
        b"label",
        b"positive",
        b"entities",
        b"B-PER",
        b"O",
        b"-DOCSTART-",
        b"#",
        b"\0",
        b"\xff",
        b"\xe9",
        "ü".encode(),
        b"1",
        b"null",
    ]
)


@pytest.mark.parametrize("row", [Opinion, AnnotatedText])
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "conll", "parquet"])
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=60) | st.lists(PIECES, max_size=40).map(b"".join))
def test_whatever_a_file_holds_its_rows_are_accounted_for(
    tmp_path: Path, form: str, row: type[TextRow], content: bytes
) -> None:
    try:
        rows, reasons, account, _ = ingest(tmp_path, f"a.{form}", content, row)
    except MeshError:
        return
    assert account.taken == len(rows)
    assert account.read == len(rows) + sum(each.rows for each in account.dropped.values())
    assert bool(reasons) == bool(account.dropped)
    if form == "jsonl" and not content.lstrip().startswith(b"[") and b"\0" not in content:
        assert account.read == sum(
            bool(line.strip())
            for line in io.StringIO(content.decode("utf-8-sig", "surrogateescape"), newline="")
        )


WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6)
LABELLED = st.lists(
    st.tuples(
        st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
        st.sampled_from(["negative", "neutral", "positive", "wrong", ""]),
    ),
    min_size=1,
    max_size=6,
)


def write_rows(form: str, rows: list[tuple[str, str]]) -> bytes:
    objects = [{"text": text, "label": label} for text, label in rows]
    if form == "parquet":
        return _parquet({name: [each[name] for each in objects] for name in ("text", "label")})
    if form == "json":
        return json.dumps(objects).encode()
    if form == "jsonl":
        return lines(*objects).encode()
    written = io.StringIO(newline="")
    writer = csv.writer(
        written, delimiter="\t" if form == "tsv" else ",", quoting=csv.QUOTE_MINIMAL
    )
    writer.writerows([("text", "label"), *rows])
    return written.getvalue().encode()


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "parquet"])
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LABELLED)
def test_each_row_comes_back_with_its_label_or_has_a_reason(
    tmp_path: Path, form: str, written: list[tuple[str, str]]
) -> None:
    rows, reasons, account, _ = ingest(tmp_path, f"a.{form}", write_rows(form, written), Opinion)
    good = [each for each in written if each[1] not in ("wrong", "")]
    assert [shown(row) for row in rows] == good
    assert len(reasons) == len(written) - len(good)
    assert account.read == len(written)
