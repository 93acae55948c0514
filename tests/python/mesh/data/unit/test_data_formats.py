import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.data.formats import Reading, read_file
from mesh.data.raw_row import RawRow


def read(tmp_path: Path, name: str, content: bytes, columns: Sequence[str] = ()) -> list[RawRow]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_file(path, name.split(".")[1], Reading(columns)))


def test_json_lines_with_what_is_none(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"text": "one"}\r\n\n[1]\n{"text": \n{"text": "two\xe2\x80\xa8lines"}\n'
    rows = read(tmp_path, "a.jsonl", content)
    assert [(row.line, row.fields) for row in rows] == [
        (1, {"text": "one"}),
        (3, None),
        (4, None),
        (5, {"text": "two\u2028lines"}),
    ]
    assert "not a JSON object" in rows[1].problem
    assert "not JSON" in rows[2].problem


def test_csv_with_quotes_line_feeds_and_a_wrong_number_of_columns(tmp_path: Path) -> None:
    content = b'text,label\n"one, ""two""\nthree",positive\nfour\nfive,negative\n'
    assert read(tmp_path, "a.csv", content) == [
        RawRow(2, {"text": 'one, "two"\nthree', "label": "positive"}),
        RawRow(4, problem="1 columns instead of 2"),
        RawRow(5, {"text": "five", "label": "negative"}),
    ]


def test_open_quote_counts_every_line_that_it_swallows(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", b'text,label\none,positive\n"two,positive\nthree,negative\n')
    assert rows[0].fields == {"text": "one", "label": "positive"}
    assert (rows[1].line, rows[1].fields, rows[1].lines) == (3, None, 2)


def test_tsv_knows_no_quotes_and_may_have_no_header(tmp_path: Path) -> None:
    assert read(tmp_path, "a.tsv", b'"one" more\t1\n', ["text", "label"]) == [
        RawRow(1, {"text": '"one" more', "label": "1"})
    ]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O B-LOC I-LOC O", [("LOC", "b c")]),
        ("B-LOC B-LOC I-PER I-PER", [("LOC", "a"), ("LOC", "b"), ("PER", "c d")]),
        ("I-LOC I-LOC O I-LOC", [("LOC", "a b"), ("LOC", "d")]),
        ("S-LOC B-PER I-PER E-PER", [("LOC", "a"), ("PER", "b c d")]),
        ("U-LOC U-LOC L-LOC O", [("LOC", "a"), ("LOC", "b"), ("LOC", "c")]),
    ],
)
def test_conll_tags_of_several_schemes(
    tmp_path: Path, tags: str, spans: list[tuple[str, str]]
) -> None:
    lines = [f"{token} NN {tag}" for token, tag in zip("abcd", tags.split(), strict=True)]
    [row] = read(tmp_path, "a.conll", "\n".join(lines).encode())
    assert row.fields is not None
    assert row.fields["text"] == "a b c d"
    found = [
        (entity["label"], row.fields["text"][entity["start"] : entity["end"]])
        for entity in row.fields["entities"]
    ]
    assert found == spans


def test_conll_sentences_begin_at_their_lines_and_documents_are_no_sentences(
    tmp_path: Path,
) -> None:
    rows = read(tmp_path, "a.conll", b"-DOCSTART- O\n\n\nGA B-LOC\n. O\n\nx\n\ny Q-LOC\nz O\n")
    assert [(row.line, row.fields and row.fields["text"]) for row in rows] == [
        (4, "GA ."),
        (7, None),
        (9, None),
    ]
    assert "'y Q-LOC'" in rows[2].problem


def test_parquet_rows(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["one", "two"], "entities": [[], [{"start": 0, "end": 3, "label": "LOC"}]]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    rows = list(read_file(tmp_path / "a.parquet", "parquet"))
    assert rows[1] == RawRow(
        2, {"text": "two", "entities": [{"start": 0, "end": 3, "label": "LOC"}]}
    )


def test_bytes_that_are_no_text_stay_in_their_row(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.jsonl", b'{"text": "caf\xe9"}\n{"text": "\xc3\xa9"}\n')
    assert rows[0].fields == {"text": "caf\udce9"}
    assert rows[1].fields == {"text": "é"}


def test_compressed_file_is_read_and_a_broken_one_is_an_error(tmp_path: Path) -> None:
    content = gzip.compress(
        b"".join(json.dumps({"text": str(number)}).encode() + b"\n" for number in range(5000))
    )
    (tmp_path / "a.jsonl.gz").write_bytes(content)
    assert len(list(read_file(tmp_path / "a.jsonl.gz", "jsonl"))) == 5000
    (tmp_path / "a.jsonl.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(MeshError, match=r"a\.jsonl\.gz is damaged or incomplete"):
        list(read_file(tmp_path / "a.jsonl.gz", "jsonl"))


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_tables_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.csv{suffix}"
    content = "text;label\nschön, ja;good\n".encode("cp1252")
    with fsspec.open(str(path), "wb", compression="infer") as file:
        file.write(content)
    [row] = read_file(path, "csv")
    assert row.fields == {"text": "schön, ja", "label": "good"}


def test_broken_parquet_file_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["one"] * 100}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:-10])
    with pytest.raises(MeshError, match=r"a\.parquet is damaged"):
        list(read_file(tmp_path / "a.parquet", "parquet"))


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3))
)
def test_json_lines_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, int | str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    assert [row.fields for row in read_file(path, "jsonl")] == values
