import zipfile
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.data.sources import file_format, find_files


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("a/b.jsonl.gz", "jsonl"),
        ("train-00000-of-00001.parquet", "parquet"),
        ("a.conll.xz", "conll"),
        ("a.ndjson", "jsonl"),
        ("README.md", None),
        ("a.gz", None),
    ],
)
def test_format_by_name(name: str, expected: str | None) -> None:
    assert file_format(name) == expected


def test_files_of_a_folder_a_pattern_and_a_name(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("b.csv", "a.jsonl", "below/c.parquet", "README.md"):
        (tmp_path / name).write_text(name)
    folder = find_files(str(tmp_path))
    assert [file.name for file in folder] == [
        str(tmp_path / name) for name in ("a.jsonl", "b.csv", "below/c.parquet")
    ]
    assert [file.name for file in find_files(f"{tmp_path}/*.csv")] == [str(tmp_path / "b.csv")]
    [readme] = find_files(str(tmp_path / "README.md"))
    assert readme.size == len("README.md")


def test_revision_changes_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("one")
    [before] = find_files(str(path))
    path.write_text("two")
    [after] = find_files(str(path))
    assert before.revision != after.revision
    assert before.revision.startswith("sha256:")


def test_what_editors_and_file_managers_leave_is_no_data(tmp_path: Path) -> None:
    left = [
        ".hidden.csv",
        ".ipynb_checkpoints/a-checkpoint.csv",
        "__MACOSX/._a.csv",
        "below/.git/b.csv",
        "a.csv~",
        "#a.csv#",
        "a.csv.bak",
        "a.csv.swp",
    ]
    for name in ("a.csv", "below/c.jsonl.zst", *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = [Path(file.name).relative_to(tmp_path) for file in find_files(str(tmp_path))]
    assert [str(name) for name in found] == ["a.csv", "below/c.jsonl.zst"]


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name in names:
            written.writestr(name, f"text\n{name}\n")
    return path


def test_an_archive_of_one_table_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "README.md", "__MACOSX/._b.csv", "data/b.csv")
    [file] = find_files(str(tmp_path))
    assert file.format == "csv"
    with file.local(tmp_path) as local:
        assert local.read_text() == "text\ndata/b.csv\n"
    assert not local.exists()
    assert path.exists()


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("README.md",), ()])
def test_other_archives_are_a_sentence(tmp_path: Path, names: tuple[str, ...]) -> None:
    archive(tmp_path / "a.zip", *names)
    [file] = find_files(str(tmp_path / "a.zip"))
    with pytest.raises(MeshError, match="must hold one table"):
        assert file.format


@pytest.mark.parametrize("name", ["missing.csv", "missing*.csv", "empty"])
def test_nothing_there_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MeshError, match=r"does not exist|holds no data"):
        find_files(str(tmp_path / name))


@pytest.mark.parametrize("address", ["hf://org/name", "hf://datasets/", "hf://datasets/a b/c"])
def test_malformed_address_of_the_hub_is_a_sentence(address: str) -> None:
    with pytest.raises(MeshError, match="is malformed"):
        find_files(address)
