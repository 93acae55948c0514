"""Whatever a file holds: rows read are rows taken and rows dropped, and labels stay."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.data.dataset import AnnotatedText, TextRow
from small_files import Opinion, ingest, lines, parquet, shown

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
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
# The beginning of a byte order mark.
@example(content=b"\xef")
# The last byte is a space in the encoding that this has most likely.
@example(content=b"\xe7\n\xff")
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
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            # In another encoding, any byte may be a space or end a line.
            return
        assert account.read == sum(bool(line.strip()) for line in io.StringIO(text, newline=""))


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
        return parquet({name: [each[name] for each in objects] for name in ("text", "label")})
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
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LABELLED)
def test_each_row_comes_back_with_its_label_or_has_a_reason(
    tmp_path: Path, form: str, written: list[tuple[str, str]]
) -> None:
    rows, reasons, account, _ = ingest(tmp_path, f"a.{form}", write_rows(form, written), Opinion)
    good = [each for each in written if each[1] not in ("wrong", "")]
    assert [shown(row) for row in rows] == good
    assert len(reasons) == len(written) - len(good)
    assert account.read == len(written)
