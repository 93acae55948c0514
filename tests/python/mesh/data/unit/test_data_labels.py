"""Tables and labels of every kind: the rows that are taken, and the reasons of the others."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mesh.core.errors import MeshError, UsageError
from small_files import STARS, Opinion, ingest, lines, parquet, shown

# ruff: noqa: RUF001 - Signs of other scripts look like Latin ones.
BY_NUMBER = {"label": {"0": "negative", "1": "positive"}}
BY_TRUTH = {"label": {"false": "negative", "True": "positive"}}
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
        lines(row).encode() if form == "jsonl" else parquet({"text": ["so"], "label": [value]})
    )
    rows, reasons, _, _ = ingest(tmp_path, f"a.{form}", content, Opinion, values=values)
    assert [each.label for each in rows] == ([expected] if expected else [])
    assert len(reasons) == (0 if expected else 1)


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
