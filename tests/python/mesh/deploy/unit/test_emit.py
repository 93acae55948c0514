"""The folder that holds the manifests: it is complete, or as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import CODE_ONLY_STEPS, Project
from mesh.deploy.emit import HEADER, files_of, write
from mesh.deploy.release import Release

PROJECT = Project(name="lsh", description="", port=1, kind="code-only", steps=CODE_ONLY_STEPS)


@pytest.fixture
def files() -> dict[str, str]:
    return dict(files_of(Release(project=PROJECT, name="lsh")))


def written(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_all_files_say_who_wrote_them(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "a/b", files)
    assert written(tmp_path / "a/b") == files
    assert all(text.startswith(HEADER) for text in files.values())


def test_earlier_manifests_are_replaced(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "a", {**files, "base/old.yaml": HEADER})
    write(tmp_path / "a", files)
    assert written(tmp_path / "a") == files
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_empty_folder_is_filled(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", files)
    assert written(tmp_path / "a") == files


@pytest.mark.parametrize(
    "add",
    [
        lambda folder: (folder / "base/own.yaml").write_text("kind: Service\n"),
        lambda folder: (folder / "notes.txt").write_text(HEADER),
        lambda folder: (folder / "base/link.yaml").symlink_to(folder / "base/service.yaml"),
        lambda folder: (folder / "overlays/own").symlink_to(folder / "base"),
    ],
)
def test_files_of_others_are_kept(
    files: dict[str, str], tmp_path: Path, add: Callable[[Path], object]
) -> None:
    write(tmp_path / "a", files)
    add(tmp_path / "a")
    before = written(tmp_path / "a")
    with pytest.raises(UsageError, match="which `mesh deploy` has not written; name another"):
        write(tmp_path / "a", {"base/service.yaml": HEADER})
    assert written(tmp_path / "a") == before


def test_what_is_no_folder_is_kept(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="is not a folder"):
            write(tmp_path / name, files)
    with pytest.raises(MeshError, match="can't be written"):
        write(tmp_path / "file/below", files)
    assert written(tmp_path) == {"file": "mine"}
