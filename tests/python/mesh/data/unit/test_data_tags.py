import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.data.difference import Difference
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.shards import write_shards
from mesh.data.store import DataSettings, DataStore
from mesh.data.tags import Tag, Tags

# Of a package that DVC uses.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

PROJECT = Project(name="tiny", description="", port=1)
SCHEMA = pa.schema([pa.field("text", pa.string(), nullable=False)])


def publish(store: DataStore, folder: Path, *, train: list[str], test: list[str]) -> DataManifest:
    folder.mkdir()
    rows = {"train": train, "test": test}
    shards = [
        shard
        for part, texts in rows.items()
        for shard in write_shards(({"text": text} for text in texts), SCHEMA, folder, part)
    ]
    manifest = DataManifest(
        project="tiny",
        kind="features",
        row_schema=describe_schema(SCHEMA),
        shards=tuple(shards),
        inputs=folder.name,
        source={},
    )
    return store.publish(folder, manifest)


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    return DataStore(PROJECT, "features", DataSettings(root=str(tmp_path / "data")))


def test_tag_gives_back_the_same_bytes_after_later_versions_and_after_removal(
    store: DataStore, tmp_path: Path
) -> None:
    first = publish(store, tmp_path / "a", train=["one", "two"], test=["three"])
    assert store.tag("dataset_v1", first, tmp_path)
    second = publish(store, tmp_path / "b", train=["four"], test=["five"])
    assert store.tag("dataset_v2", second, tmp_path)
    assert (store.get("dataset_v1"), store.get("dataset_v2"), store.get()) == (
        first,
        second,
        second,
    )
    assert (store.tags_of(first), store.tags_of(second)) == (["dataset_v1"], ["dataset_v2"])

    shutil.rmtree(store.url(first.version))
    assert store.versions() == [second.version]
    assert store.get("dataset_v1") == first
    local = store.fetch(first, tmp_path / "fetched")
    assert [row["text"] for row in local.rows("train")] == ["one", "two"]
    assert store.get() == second


def test_tag_never_moves(store: DataStore, tmp_path: Path) -> None:
    first = publish(store, tmp_path / "a", train=["one"], test=["two"])
    second = publish(store, tmp_path / "b", train=["three"], test=["four"])
    assert store.tag("dataset_v1", first, tmp_path)
    assert not store.tag("dataset_v1", first, tmp_path)
    with pytest.raises(MeshError, match=f"dataset_v1 already names the version {first.version}"):
        store.tag("dataset_v1", second, tmp_path)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 64])
def test_malformed_tag_is_refused(store: DataStore, tmp_path: Path, name: str) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    with pytest.raises(UsageError, match="isn't a tag"):
        store.tag(name, manifest, tmp_path)


def test_file_that_dvc_lost_is_noticed(store: DataStore, tmp_path: Path) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    shutil.rmtree(store.url(manifest.version))
    files = sorted((tmp_path / "data/tiny/dvc").rglob("*"))
    next(path for path in files if path.is_file() and path.suffix != ".dir").unlink()
    with pytest.raises(MeshError, match="DVC can't use"):
        store.get("dataset_v1")
    assert store.versions() == []


def test_bytes_that_dvc_takes_for_the_same_are_refused(
    store: DataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC compares by MD5, the manifest by SHA-256."""
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    shutil.rmtree(store.url(manifest.version))
    pull = Tags.pull

    def pull_changed(tags: Tags, tag: Tag, directory: Path) -> None:
        pull(tags, tag, directory)
        (directory / manifest.shards[0].path).write_bytes(b"other")

    monkeypatch.setattr(Tags, "pull", pull_changed)
    with pytest.raises(MeshError, match="damaged"):
        store.get("dataset_v1")
    assert store.versions() == []


def test_malformed_tag_file_is_one_sentence(store: DataStore, tmp_path: Path) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    (tmp_path / "data/tiny/tags/dataset_v1.dvc").write_text("{}")
    with pytest.raises(MeshError, match=r"dataset_v1\.dvc is malformed"):
        store.get("dataset_v1")


def test_differences_are_counted_in_rows(store: DataStore, tmp_path: Path) -> None:
    first = publish(store, tmp_path / "a", train=["one", "two", "two"], test=["three"])
    second = publish(store, tmp_path / "b", train=["one", "three", "new"], test=["two"])
    with store.local(first, tmp_path) as older, store.local(second, tmp_path) as newer:
        found = Difference.between(older, newer)
        assert found.parts == {"train": (3, 3), "test": (1, 1)}
        # One of the two "two" is gone, the other is in another part; so is "three".
        assert (found.removed, found.added, found.moved) == (1, 1, 2)
        assert not found.same
        assert Difference.between(older, older).same
