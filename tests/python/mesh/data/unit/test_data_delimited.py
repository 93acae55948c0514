"""Tables as spreadsheets and programs write them, in several encodings."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.data.delimited import check_delimiter
from mesh.data.formats import Reading, read_file
from mesh.data.text_files import check_encoding, find_encoding

GERMAN = "text;label\nSchöne Grüße; sehr gern;positive\n".replace("Grüße;", "Grüße,")
FRENCH = 'text,label\n"Déçu, mais l\'été à Besançon…",negative\n'
# ruff: noqa: RUF001 - Cyrillic letters look like Latin ones.
RUSSIAN = "text\tlabel\nОчень хороший товар, рекомендую\tpositive\nПлохо\tnegative\n"


def read(
    tmp_path: Path, name: str, content: bytes, reading: Reading | None = None
) -> list[list[str]]:
    """The values of each row; a problem as its only value."""
    path = tmp_path / name
    path.write_bytes(content)
    rows = read_file(path, name.split(".")[1], reading)
    return [[row.problem] if row.fields is None else list(row.fields.values()) for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("comma.csv", 'text,label\n"yes; really",pos\n"no, not",neg\n', [["yes; really", "pos"], ["no, not", "neg"]]),
        ("semicolon.csv", "text;label\nyes, really;pos\nno;neg\n", [["yes, really", "pos"], ["no", "neg"]]),
        ("quoted.csv", 'text;label\n"yes; ""really""";pos\nno;neg\n', [['yes; "really"', "pos"], ["no", "neg"]]),
        ("pipe.csv", "text|label\nyes, really; yes|pos\n", [["yes, really; yes", "pos"]]),
        ("tab.csv", "text\tlabel\nIt's fine, yes\tpos\n", [["It's fine, yes", "pos"]]),
        ("single.csv", "text,label\n'yes, really',pos\n'no',neg\n", [["yes, really", "pos"], ["no", "neg"]]),
        ("column.csv", "text\nyes, really, yes\nno; not\n", [["yes, really, yes"], ["no; not"]]),
        ("lines.csv", 'text,label\r\n"yes\r\nreally",pos\r\n', [["yes\r\nreally", "pos"]]),
        ("prose.csv", "text,label\nGood,pos\nBad; awful; ugly,neg\n", [["Good", "pos"], ["Bad; awful; ugly", "neg"]]),
        ("spaces.csv", "text , label\nyes,pos\n", [["yes", "pos"]]),
        ("short.csv", "text,label\nyes\nno,neg\n", [["1 columns instead of 2"], ["no", "neg"]]),
        # Quotes in files with tabs are text, unless they can't be.
        ("plain.tsv", 'text\tlabel\n"yes" really\tpos\n"no"\tneg\n', [['"yes" really', "pos"], ['"no"', "neg"]]),
        ("excel.tsv", 'text\tlabel\n"yes ""really"""\tpos\nno\tneg\n', [['yes "really"', "pos"], ["no", "neg"]]),
        ("inner.tsv", 'text\tlabel\n"yes\treally"\tpos\nno\tneg\n', [["yes\treally", "pos"], ["no", "neg"]]),
    ],
)  # fmt: skip
def test_delimiter_and_quotes_are_found(
    tmp_path: Path, name: str, content: str, expected: list[list[str]]
) -> None:
    assert read(tmp_path, name, content.encode()) == expected


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        *((GERMAN, encoding) for encoding in ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le")),
        *((FRENCH, encoding) for encoding in ("utf-8", "cp1252", "utf-16-be", "utf-32")),
        *((RUSSIAN, encoding) for encoding in ("utf-8", "cp1251", "koi8-r", "utf-16")),
    ],
)  # fmt: skip
def test_encoding_is_found(tmp_path: Path, content: str, encoding: str) -> None:
    rows = read(tmp_path, "a.tsv" if "\t" in content else "a.csv", content.encode(encoding))
    assert rows == read(tmp_path, "b.tsv" if "\t" in content else "b.csv", content.encode())
    assert len(rows) == content.count("\n") - 1
    assert all(len(row) == 2 for row in rows)


def test_letters_beyond_ascii_count_wherever_they_are(tmp_path: Path) -> None:
    content = b"text,label\n" + b"plain,pos\n" * 40_000 + "schön,pos\n".encode("cp1252")
    assert read(tmp_path, "a.csv", content)[-1] == ["schön", "pos"]


def test_delimiter_and_encoding_can_be_given(tmp_path: Path) -> None:
    reading = Reading(columns=["text", "label"], delimiter="#", encoding="cp437")
    assert read(tmp_path, "a.csv", "schön, ja#pos\n".encode("cp437"), reading) == [["schön, ja", "pos"]]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("#", "#")]
)
def test_delimiters_are_named(text: str, expected: str) -> None:
    assert check_delimiter(text) == expected


@pytest.mark.parametrize("text", ["::", '"', "\n", "comma"])
def test_what_is_no_delimiter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="isn't a delimiter"):
        check_delimiter(text)


def test_two_given_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="both called 'text'"):
        read(tmp_path, "a.csv", b"a,b\n", Reading(columns=["text", "text"]))


@pytest.mark.parametrize("header", ["text,label,text", "text, text ,label"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(MeshError, match=r"The columns 1 and \d are both called 'text'"):
        read(tmp_path, "a.csv", f"{header}\na,b,c\n".encode())


@pytest.mark.parametrize("name", ["utf9", "hex", "rot13"])
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' isn't an encoding"):
        check_encoding(name)


def test_stray_bytes_do_not_make_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Grüße, größer\n".encode() + b"caf\xe9\n")
    assert find_encoding(tmp_path / "a.csv") == "utf-8"


FIELDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=12
)


@given(
    st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=8),
    st.sampled_from(",;|\t"),
)
def test_written_tables_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    path = tmp_path_factory.mktemp("table") / "a.csv"
    path.write_bytes(written.getvalue().encode())
    found = list(read_file(path, "csv"))
    assert [row.fields for row in found] == [{"text": text, "label": label} for text, label in rows]
