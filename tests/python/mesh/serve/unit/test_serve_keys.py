"""The file of keys."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from access_files import add_key
from mesh.core.errors import UsageError
from mesh.core.secret_values import is_secret_value
from mesh.serve.access import keys as keys_module
from mesh.serve.access.keys import Keys, read_keys
from mesh.serve.access.scopes import Scope
from mesh.serve.access.watched import WatchedFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_file_has_digests_and_no_keys(file: Path) -> None:
    text = add_key(file, "web", Scope.PREDICT)
    [kept] = json.loads(file.read_text())["keys"]
    assert kept["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert text not in file.read_text()
    assert text.rpartition("_")[2] not in file.read_text()
    assert is_secret_value(text)


def test_keys_are_found_by_their_whole_text(file: Path) -> None:
    texts = {name: add_key(file, name) for name in ("a", "b")}
    keys = read_keys(file)
    for name, text in texts.items():
        found = keys.find(text)
        assert found is not None
        assert found.name == name
        other = texts["b" if name == "a" else "a"]
        swapped = text[: len("mesh_") + 13] + other[len("mesh_") + 13 :]
        for wrong in (text[:-1], text + "a", text.upper(), swapped, "", "mesh_", f"{text} "):
            assert keys.find(wrong) is None, wrong


def test_each_key_is_compared_in_constant_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Hmac:
        @staticmethod
        def compare_digest(one: str, other: str) -> bool:
            compared.append(len(one) == len(other))
            return one == other

    text = add_key(file, "a")
    keys = read_keys(file)
    monkeypatch.setattr(keys_module, "hmac", Hmac)
    for sent in (text, text[:-1] + "?", "mesh_000000000000_a", "mesh_"):
        keys.find(sent)
    assert compared == [True] * 4


def test_processes_that_add_keys_at_once_lose_none(file: Path) -> None:
    names = [f"caller-{number}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_key(file, name), names))
    found = json.loads(file.read_text())["keys"]
    assert sorted(key["name"] for key in found) == sorted(names)


def test_the_file_of_a_link_is_changed(tmp_path: Path) -> None:
    link, file = tmp_path / "link.json", tmp_path / "file.json"
    link.symlink_to(file)
    add_key(link, "a")
    assert link.is_symlink()
    assert read_keys(file).can_open


def record(**changes: Any) -> dict[str, Any]:
    sound = {
        "name": "a",
        "id": "0" * 12,
        "sha256": "0" * 64,
        "scopes": ["predict"],
        "created": "2026-01-01T00:00:00Z",
    }
    return {**sound, **changes}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "is malformed"),
        (b"{}", "keys: Field required"),
        (b'{"keys": [1]}', "keys.0"),
        *(
            (json.dumps({"keys": found}).encode(), message)
            for found, message in (
                ([record(sha256="secret")], "keys.0.sha256"),
                ([record(key="mesh_secret")], "keys.0.key"),
                ([record(scopes=[])], "keys.0.scopes"),
                ([record(scopes=["everything"])], "keys.0.scopes"),
                ([record(expires="tomorrow")], "keys.0.expires"),
                ([record(expires="2026-01-01T00:00:00")], "keys.0.expires"),
                ([record(requests_per_minute=0)], "keys.0.requests_per_minute"),
                ([record(name="a b")], "keys.0.name"),
                ([record(), record(id="1" * 12)], "2 keys have the name a"),
                ([record(), record(name="b")], "2 keys have the id 000000000000"),
            )
        ),
    ],
)
def test_files_that_are_none(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        read_keys(file)
    assert str(file) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "loop", tmp_path / "pipe"):
        with pytest.raises(UsageError, match=str(path)):
            read_keys(path)


def test_a_file_is_read_again_when_it_changes(file: Path) -> None:
    first = add_key(file, "first")
    watched = WatchedFile(file, read_keys)
    second = add_key(file, "second")
    watched.look()
    assert watched.value is not None
    assert watched.value.find(first)
    assert watched.value.find(second)


def test_a_defect_of_the_reader_lets_nobody_in(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_key(file, "a")
    defects = [ZeroDivisionError(), ZeroDivisionError()]

    def read(path: Path) -> Keys:
        if path.stat().st_size == 1:
            raise defects.pop()
        return read_keys(path)

    watched = WatchedFile(file, read)
    sound = file.read_bytes()
    file.write_bytes(b"{")
    for _ in range(2):
        watched.look()
    assert watched.value is None
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.exc_info
    file.write_bytes(sound)
    watched.look()
    assert watched.value is not None


@pytest.mark.parametrize("damage", ["missing", "empty", "malformed"])
def test_a_damaged_file_lets_nobody_in(
    file: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = add_key(file, "a")
    watched = WatchedFile(file, read_keys)
    sound = file.read_bytes()
    file.write_bytes({"empty": b"", "malformed": sound[:-9]}.get(damage, b""))
    if damage == "missing":
        file.unlink()
    # It may be in the midst of being written.
    watched.look()
    assert watched.value is not None
    for _ in range(3):
        watched.look()
        assert watched.value is None
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1
    file.write_bytes(sound)
    watched.look()
    assert watched.value is not None
    assert watched.value.find(text)
