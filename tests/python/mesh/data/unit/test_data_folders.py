"""Data is stored, tagged, found and restored in folders of any names."""

import shutil
import tempfile
from pathlib import Path

import pytest

from folder_names import with_folder_names
from mesh.data.sources import find_files
from tiny_versions import features_at, publish


def is_tagged_data_restored(root: str, scratch: Path) -> bool:
    store = features_at(root)
    manifest = publish(store, scratch / "made", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, scratch)
    store.tags_of(manifest)
    shutil.rmtree(store.url(manifest.version))
    assert store.versions() == []
    restored = store.get("dataset_v1") == manifest and store.versions() == [manifest.version]
    return restored and not any(store.check().values())


@with_folder_names
def test_tagged_data_is_where_it_was_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as temporary:
        clone = Path(temporary) / name
        clone.mkdir()
        for root, folder in (
            (str(clone / "data"), clone / "data"),
            (".mesh/data", clone / ".mesh/data"),
        ):
            scratch = clone / "scratch"
            scratch.mkdir()
            with monkeypatch.context() as patch:
                patch.chdir(clone)
                assert is_tagged_data_restored(root, scratch)
            shutil.rmtree(scratch)
            assert {path.name for path in (folder / "tiny").iterdir()} == {
                "dvc",
                "features",
                "tags",
            }
        assert {path.name for path in clone.iterdir()} == {".mesh", "data"}
        assert [path.name for path in Path(temporary).iterdir()] == [name]


@with_folder_names
def test_source_is_found_by_its_name_its_folder_and_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        (folder / "rows.csv").write_text("text\none\n")
        (Path(temporary) / "other.csv").write_text("text\ntwo\n")
        expected = [str(folder / "rows.csv")]
        monkeypatch.chdir(folder)
        for address in (folder / "rows.csv", folder, folder / "*.csv", "rows.csv", "ro?s.*", "**"):
            assert [file.name for file in find_files(str(address))] == expected, address
        monkeypatch.chdir(tmp_path)
