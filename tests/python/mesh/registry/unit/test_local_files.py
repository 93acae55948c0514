import os
from pathlib import Path

import pytest

from mesh.core.manifest import FileEntry
from mesh.registry.local_files import SHARED, copy_file, store_file, sweep

BLOCK = 2**20


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7])
def test_copy_has_the_content_and_its_entry(tmp_path: Path, size: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(size))
    counted: list[int] = []
    entry = copy_file(source, tmp_path / "a/b/target", "a/b/target", counted.append)
    assert sum(counted) == size
    assert (tmp_path / "a/b/target").read_bytes() == source.read_bytes()
    assert entry == FileEntry.of(source, "a/b/target")


def test_copy_replaces_nothing(tmp_path: Path) -> None:
    for name in ("source", "target"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "source", tmp_path / "target", "target", ignore)
    assert (tmp_path / "target").read_text() == "target"


def ignore(_: int) -> None:
    """Count nothing."""


def store(folder: Path, name: str, content: str) -> Path:
    source = folder / "source"
    source.write_text(content)
    entry = store_file(source, folder / name, name, ignore, folder)
    assert entry == FileEntry.of(source, name)
    source.unlink()
    return folder / name


def test_identical_files_are_one(tmp_path: Path) -> None:
    first, second = (store(tmp_path, name, "same") for name in ("first", "second"))
    other = store(tmp_path, "other", "else")
    assert first.samefile(second)
    assert not first.samefile(other)
    assert (first.read_text(), other.read_text()) == ("same", "else")
    assert not list(tmp_path.rglob("*.partial"))


def test_damaged_file_is_not_shared_again(tmp_path: Path) -> None:
    first = store(tmp_path, "first", "same")
    first.write_text("SAME")
    second, third = (store(tmp_path, name, "same") for name in ("second", "third"))
    assert (first.read_text(), second.read_text()) == ("SAME", "same")
    assert second.samefile(third)


def test_files_without_a_version_are_swept(tmp_path: Path) -> None:
    first, second = (store(tmp_path, name, "same") for name in ("first", "second"))
    store(tmp_path, "other", "else").unlink()
    first.unlink()
    sweep(tmp_path)
    assert second.read_text() == "same"
    assert [path.read_text() for path in (tmp_path / SHARED).iterdir()] == ["same"]
    second.unlink()
    sweep(tmp_path)
    assert list((tmp_path / SHARED).iterdir()) == []


def test_storage_without_links_keeps_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    first, second = (store(tmp_path, name, "same") for name in ("first", "second"))
    assert not first.samefile(second)
    assert first.read_text() == second.read_text() == "same"
    sweep(tmp_path)


@pytest.mark.parametrize("linked", [False, True])
def test_names_of_new_folders_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    folder = tmp_path / "artifacts"
    if linked:
        store_file(source, folder / "first", "first", lambda _: None, folder)
    synced: set[Path] = set()
    sync = os.fsync

    def note(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr("os.fsync", note)
    store_file(source, folder / "run/artifacts/a", "a", lambda _: None, folder)
    assert {folder, folder / "run", folder / "run/artifacts"} <= synced
    assert linked or tmp_path in synced
