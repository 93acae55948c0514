import gzip
from pathlib import Path

import pytest

from mesh.backfill.inputs import current_stamp, find_inputs
from mesh.core.errors import UsageError

FILES = ("a.jsonl", "b.JSONL.gz", "c.csv", "d.tsv", "e.ndjson.zst", "deep/f.parquet", "_SUCCESS")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*FILES, ".hidden.csv", "_tmp/x.csv"):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in", ["a.jsonl", "b.JSONL.gz", "c.csv", "d.tsv", "deep/f.parquet", "e.ndjson.zst"]),
        ("in/", ["a.jsonl", "b.JSONL.gz", "c.csv", "d.tsv", "deep/f.parquet", "e.ndjson.zst"]),
        ("in/*.csv", ["c.csv"]),
        ("in/**/*.parquet", ["deep/f.parquet"]),
        ("in/[cd].?sv", ["c.csv", "d.tsv"]),
        ("in/c.csv", ["c.csv"]),
        ("in/.hidden.csv", [".hidden.csv"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_pattern_names_files_relative_to_its_folder(pattern: str, names: list[str]) -> None:
    found = find_inputs([pattern], "auto", "")
    assert [file.name for file in found] == names
    assert all(Path(file.url.removeprefix("file://")).is_absolute() for file in found)


@pytest.mark.usefixtures("folder")
def test_format_compression_and_delimiter_follow_from_names() -> None:
    found = {
        file.name: (file.format, file.compression, file.delimiter)
        for file in find_inputs(["in"], "auto", "")
    }
    assert found == {
        "a.jsonl": ("jsonl", "", ","),
        "b.JSONL.gz": ("jsonl", "gzip", ","),
        "c.csv": ("csv", "", ","),
        "d.tsv": ("csv", "", "\t"),
        "e.ndjson.zst": ("jsonl", "zstd", ","),
        "deep/f.parquet": ("parquet", "", ","),
    }
    [file] = find_inputs(["in/_SUCCESS"], "csv", ";")
    assert (file.format, file.delimiter) == ("csv", ";")


@pytest.mark.usefixtures("folder")
def test_file_of_two_patterns_is_read_once() -> None:
    assert len(find_inputs(["in/*.csv", "in/c.csv", "in"], "auto", "")) == 6


def test_files_of_one_name_are_called_by_their_paths(tmp_path: Path) -> None:
    for name in ("x/a.csv", "y/a.csv", "y/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n")
    root = str(tmp_path).lstrip("/")
    names = [file.name for file in find_inputs(["x", "y"], "auto", "")]
    assert names == sorted([f"{root}/x/a.csv", f"{root}/y/a.csv", "b.csv"])


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("none.csv", "The input none.csv does not exist."),
        ("none/*.csv", "The input none/.* has no files."),
        ("readme.txt", "The format of .*readme.txt isn't known; name it by --format"),
        ("what://x/y", "what://x/y can't be opened: .*what"),
    ],
)
def test_input_that_is_not_there_or_known_is_a_sentence(
    pattern: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(UsageError, match=sentence):
        find_inputs([pattern], "auto", "")


def test_path_with_signs_of_patterns_is_itself_where_it_exists(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("text\n")
    assert [file.name for file in find_inputs(["a[1].csv"], "auto", "")] == ["a[1].csv"]


def test_version_is_that_of_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"text": "a"}'))
    [first] = find_inputs(["a.jsonl.gz"], "auto", "")
    file.write_bytes(file.read_bytes())
    [same] = find_inputs(["a.jsonl.gz"], "auto", "")
    file.write_bytes(gzip.compress(b'{"text": "b"}'))
    [other] = find_inputs(["a.jsonl.gz"], "auto", "")
    assert first.version == same.version != other.version
    assert current_stamp(other) == other.stamp != first.stamp
