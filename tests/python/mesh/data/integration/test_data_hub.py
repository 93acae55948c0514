"""`hf://datasets` addresses against a local server that speaks the hub's protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.hub import COMMIT, ask, run_hub

FILES = {
    "README.md": b"# tiny",
    "data/train.jsonl": b'{"text": "one"}\n{"text": "two"}\n',
    "data/test.csv": b"text\nthree\n",
    "loader.py": b"raise SystemExit",
}
PROGRAM = """
import json, pathlib, sys
from mesh.core.errors import MeshError
from mesh.data.formats import read_file
from mesh.data.sources import file_format, find_files
try:
    found = {}
    for file in find_files(sys.argv[1]):
        with file.local(pathlib.Path()) as path:
            rows = [row.fields["text"] for row in read_file(path, file_format(file.path))]
        found[file.name] = [file.revision, rows]
    print(json.dumps(found))
except MeshError as error:
    print(json.dumps({"error": str(error)}))
"""


@pytest.fixture
def hub() -> Iterator[str]:
    with run_hub("datasets", FILES) as endpoint:
        yield endpoint


def read(address: str, endpoint: str, home: Path) -> Any:
    return ask(PROGRAM, address, endpoint, home)


@pytest.mark.parametrize("revision", ["", "@v1", f"@{COMMIT}"])
def test_data_files_of_a_revision_are_read_at_its_commit(
    hub: str, tmp_path: Path, revision: str
) -> None:
    assert read(f"hf://datasets/org/tiny{revision}", hub, tmp_path) == {
        f"hf://datasets/org/tiny@{COMMIT}/data/test.csv": [COMMIT, ["three"]],
        f"hf://datasets/org/tiny@{COMMIT}/data/train.jsonl": [COMMIT, ["one", "two"]],
    }


@pytest.mark.parametrize("path", ["/data/train.jsonl", "/data/tr*"])
def test_one_file_is_read_by_name_or_pattern(hub: str, tmp_path: Path, path: str) -> None:
    assert list(read(f"hf://datasets/org/tiny{path}", hub, tmp_path)) == [
        f"hf://datasets/org/tiny@{COMMIT}/data/train.jsonl"
    ]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("hf://datasets/org/tiny@v9", "has no revision 'v9'"),
        ("hf://datasets/org/other", "does not exist on the hub"),
        ("hf://datasets/org/tiny/data/missing.csv", "does not exist"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    hub: str, tmp_path: Path, address: str, sentence: str
) -> None:
    assert sentence in str(read(address, hub, tmp_path)["error"])


def test_hub_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    error = read("hf://datasets/org/tiny", "http://127.0.0.1:9", tmp_path)["error"]
    assert "can't be reached" in str(error)
