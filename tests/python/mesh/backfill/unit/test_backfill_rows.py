import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.backfill import rows
from mesh.backfill.division import divide, rows_of
from mesh.backfill.inputs import find_inputs
from mesh.backfill.rows import RawRow
from mesh.core.errors import MeshError, UsageError

TEXTS = st.lists(st.text(st.sampled_from('ab ,"\n\r;é😀\0'), max_size=12), max_size=25)
PACK = {
    "": lambda content: content,
    ".gz": gzip.compress,
    # Two frames, as parallel compressors write.
    ".zst": lambda content: zstandard.compress(content[:20]) + zstandard.compress(content[20:]),
}


def read(path: Path, shard_bytes: int, columns: tuple[str, ...] = ("text",)) -> list[list[RawRow]]:
    """The rows of each part of a file."""
    parts, _ = divide(find_inputs([str(path)], "auto", ""), shard_bytes, columns)
    return [list(rows_of(part, columns)) for part in parts]


def flat(parts: list[list[RawRow]]) -> list[tuple[int, Any, str]]:
    return [(row.number, row.values.get("text"), row.problem) for part in parts for row in part]


@settings(max_examples=30)
@given(TEXTS, st.integers(1, 200), st.sampled_from(list(PACK)))
def test_parts_of_json_lines_have_each_row_once(
    texts: list[str], shard_bytes: int, packing: str
) -> None:
    lines = [json.dumps({"text": text}) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.jsonl{packing}"
        path.write_bytes(PACK[packing]("\n".join(lines).encode()))
        assert flat(read(path, shard_bytes)) == [(n, text, "") for n, text in enumerate(texts)]


@settings(max_examples=30)
@given(TEXTS, st.integers(1, 200), st.sampled_from(list(PACK)))
def test_parts_of_csv_have_each_row_once(texts: list[str], shard_bytes: int, packing: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["number", "text"])
    writer.writerows(enumerate(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.csv{packing}"
        path.write_bytes(PACK[packing](buffer.getvalue().encode()))
        assert flat(read(path, shard_bytes)) == [(n, text, "") for n, text in enumerate(texts)]


@settings(max_examples=20)
@given(TEXTS, st.integers(1, 400), st.integers(1, 30))
def test_parts_of_parquet_have_each_row_once(
    texts: list[str], shard_bytes: int, rows_of_group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        table = pa.table({"text": pa.array(texts, pa.string())})
        pq.write_table(table, path, row_group_size=rows_of_group)
        parts = read(path, shard_bytes)
        assert flat(parts) == [(n, text, "") for n, text in enumerate(texts)]
        assert all(parts)


def test_large_files_become_parts_of_about_the_wanted_size(tmp_path: Path) -> None:
    text = "x" * 90
    (tmp_path / "a.jsonl").write_text(f'{{"text": "{text}"}}\n' * 1000)
    sizes = [len(part) for part in read(tmp_path / "a.jsonl", 10_000)]
    assert sum(sizes) == 1000
    assert max(sizes) <= 100
    table = pa.table({"text": [f"{number:090}" for number in range(1000)]})
    # One group is much larger than a part.
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False, compression="none")
    sizes = [len(part) for part in read(tmp_path / "a.parquet", 10_000)]
    assert sum(sizes) == 1000
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) in (9, 10)
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False, row_group_size=10)
    assert 5 <= len(read(tmp_path / "a.parquet", 10_000)) <= 15


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"text": "a"}\r\n\n  \n{"text": "b"}', [(0, "a", ""), (3, "b", "")]),
        ("a.jsonl", b'\xef\xbb\xbf{"text": "a"}\n', [(0, "a", "")]),
        ("a.jsonl", b'{"text": 5, "x": [1]}\n', [(0, 5, "")]),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', [(0, "a", ""), (1, None, "JSON object")]),
        ("a.jsonl", b'{"text": "a"}\n{"text"\n', [(0, "a", ""), (1, None, "isn't JSON")]),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', [(0, "a", ""), (1, None, "UTF-8")]),
        ("a.jsonl", b"[" * 100_000 + b"\n" + b'{"text": "b"}', [(0, None, "JSON"), (1, "b", "")]),
        ("a.csv", b"\xef\xbb\xbftext\na\n\nb\n", [(0, "a", ""), (2, "b", "")]),
        ("a.csv", b"x,text\n1,a\n1\n1,b\n", [(0, "a", ""), (1, None, "1 fields"), (2, "b", "")]),
        ("a.csv", b'text\n"a\nb"\n"c', [(0, "a\nb", ""), (1, "c", "")]),
        ("a.csv", b"text\n\xff\n", [(0, "\udcff", "")]),
        ("a.tsv", b"text\tx\na,b\tc\n", [(0, "a,b", "")]),
        ("a.csv", b"", []),
        ("a.csv", b"text\n", []),
        ("a.jsonl", b"", []),
    ],
)
def test_row_is_read_or_has_a_problem(
    name: str, content: bytes, expected: list[tuple[int, Any, str]], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    found = flat(read(tmp_path / name, 1_000_000))
    assert [(number, text) for number, text, _ in found] == [each[:2] for each in expected]
    for (_, _, problem), (_, _, part) in zip(found, expected, strict=True):
        assert bool(problem) == bool(part)
        assert part in problem


def test_overlong_lines_and_fields_are_problems_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_LINE", 50)
    long = "x" * 200
    (tmp_path / "a.jsonl").write_text(f'{{"text": "{long}"}}\n{{"text": "b"}}\n')
    (tmp_path / "a.csv").write_text(f"text\n{long}\nb\n")
    (tmp_path / "b.csv").write_text('text\n"' + "x\n" * 40 + "b\n")
    for name in ("a.jsonl", "a.csv"):
        first, second = flat(read(tmp_path / name, 10))
        assert first[2]
        assert second[1:] == ("b", "")
    assert "field" in flat(read(tmp_path / "b.csv", 1000))[0][2]


def test_parquet_string_that_is_not_utf8_is_a_problem_of_its_row(tmp_path: Path) -> None:
    raw = pa.array([b"a", b"\xff", b"c"], pa.binary())
    strings = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    pq.write_table(pa.table({"text": strings}), tmp_path / "a.parquet")
    first, second, third = flat(read(tmp_path / "a.parquet", 1000))
    assert (first[1], third[1]) == ("a", "c")
    assert "UTF-8" in second[2]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_missing_column_is_a_sentence_with_those_that_there_are(name: str, tmp_path: Path) -> None:
    if name == "a.parquet":
        pq.write_table(pa.table({"body": ["a"], "id": [1]}), tmp_path / name)
    else:
        (tmp_path / name).write_text("body,id\na,1\n" if name == "a.csv" else '{"body":1,"id":2}\n')
    with pytest.raises(
        UsageError, match=r"has no column 'text'; its columns are 'body', 'id'\. Name"
    ):
        read(tmp_path / name, 1000, ("text", "id"))


@pytest.mark.parametrize("content", [b"", b"PAR1 no", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_damaged_parquet_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(MeshError, match="a.parquet is damaged: "):
        read(tmp_path / "a.parquet", 1000)
