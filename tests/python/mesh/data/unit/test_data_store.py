from pathlib import Path

import pyarrow as pa
import pytest

from mesh.core.errors import MeshError
from mesh.core.project import Project
from mesh.data.files import Location
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.settings import DataSettings
from mesh.data.shards import write_shards
from mesh.data.store import DataStore

PROJECT = Project(name="tiny", description="", port=1)
SCHEMA = pa.schema([pa.field("text", pa.string(), nullable=False)])


def make_version(folder: Path, texts: list[str], inputs: str = "inputs") -> DataManifest:
    folder.mkdir(exist_ok=True)
    shards = write_shards(({"text": text} for text in texts), SCHEMA, folder, "all")
    return DataManifest(
        project="tiny",
        kind="raw",
        row_schema=describe_schema(SCHEMA),
        shards=tuple(shards),
        inputs=inputs,
        source={},
    )


def make_store(tmp_path: Path) -> DataStore:
    return DataStore(PROJECT, "raw", DataSettings(root=str(tmp_path / "data")))


def test_version_is_found_by_name_beginning_latest_and_inputs(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    first = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one", "two"], "first"))
    second = store.publish(tmp_path / "b", make_version(tmp_path / "b", ["three"], "second"))
    assert store.versions() == sorted((first.version, second.version))
    assert store.get() == second
    assert store.get(first.version) == store.get(first.version[:8]) == first
    assert store.find("first") == first
    assert store.find("other") is None
    with store.local(first, tmp_path) as local:
        assert list(local.rows("all")) == [{"text": "one"}, {"text": "two"}]
        assert list(local.rows("train")) == []


def test_same_rows_are_the_same_version_whatever_they_came_from(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    first = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one"], "first"))
    again = store.publish(tmp_path / "b", make_version(tmp_path / "b", ["one"], "second"))
    assert again == first
    assert store.versions() == [first.version]


def test_version_without_a_manifest_is_none_and_is_completed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path)
    manifest = make_version(tmp_path / "a", ["one"])

    def killed(self, name: str, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Location, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        store.publish(tmp_path / "a", manifest)
    monkeypatch.undo()
    assert (Path(store.url(manifest.version)) / "all-00000.parquet").exists()
    assert store.versions() == []
    with pytest.raises(MeshError, match="run ingest:ingest first"):
        store.get()
    store.publish(tmp_path / "a", manifest)
    assert store.get().version == manifest.version


@pytest.mark.parametrize("damage", [b"", b"other bytes", None])
def test_damaged_file_is_noticed_refused_and_repaired(tmp_path: Path, damage: bytes | None) -> None:
    store = make_store(tmp_path)
    manifest = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one"]))
    shard = Path(store.url(manifest.version)) / "all-00000.parquet"
    if damage is None:
        shard.unlink()
    else:
        shard.write_bytes(damage)
    assert store.problems(manifest) == ["all-00000.parquet is missing or changed"]
    assert store.find("inputs") is None
    with pytest.raises(MeshError, match="damaged"), store.local(manifest, tmp_path):
        pass
    with pytest.raises(MeshError, match=r"does not exist|damaged"):
        store.fetch(manifest, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    store.publish(tmp_path / "a", manifest)
    assert store.problems(manifest) == []


def test_damage_that_can_not_be_repaired_is_an_error(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/rejects.jsonl").write_text("first")
    manifest = make_version(tmp_path / "a", ["one"])
    from mesh.core.manifest import FileEntry

    entry = FileEntry.of(tmp_path / "a/rejects.jsonl", "rejects.jsonl")
    manifest = store.publish(tmp_path / "a", manifest.model_copy(update={"files": (entry,)}))
    (Path(store.url(manifest.version)) / "rejects.jsonl").write_text("damaged")
    (tmp_path / "a/rejects.jsonl").write_text("second")
    with pytest.raises(MeshError, match="damaged, and the new one differs"):
        store.publish(tmp_path / "a", manifest)


def test_fetched_copy_carries_its_manifest(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    manifest = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one"]))
    local = store.fetch(manifest, tmp_path / "fetched")
    assert list(local.rows("all")) == [{"text": "one"}]
    assert (
        DataManifest.model_validate_json((tmp_path / "fetched/manifest.json").read_text())
        == manifest
    )


@pytest.mark.parametrize("version", ["", "zzz", "../other"])
def test_unknown_version_is_a_sentence_with_the_known_ones(tmp_path: Path, version: str) -> None:
    store = make_store(tmp_path)
    manifest = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one"]))
    with pytest.raises(MeshError, match=manifest.version):
        store.get(version)


def test_manifest_of_other_data_is_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    manifest = store.publish(tmp_path / "a", make_version(tmp_path / "a", ["one"]))
    folder = Path(store.url(manifest.version))
    folder.rename(folder.with_name("0123456789abcdef"))
    with pytest.raises(MeshError, match="doesn't match the name"):
        store.get("0123456789abcdef")


def test_many_rows_fill_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.data.shards.ROWS_PER_SHARD", 10)
    monkeypatch.setattr("mesh.data.shards.ROWS_PER_GROUP", 3)
    for count, expected in ((0, [0]), (10, [10]), (25, [10, 10, 5])):
        folder = tmp_path / str(count)
        folder.mkdir()
        rows = [{"text": str(number)} for number in range(count)]
        shards = write_shards(rows, SCHEMA, folder, "all")
        assert [shard.rows for shard in shards] == expected
        assert sorted(path.name for path in folder.iterdir()) == [shard.path for shard in shards]


@pytest.mark.parametrize(
    ("root", "sentence"),
    [
        ("abfs://bucket/data", "needs a package that is not installed.*adlfs"),
        ("nothing://bucket", "nothing://bucket.*can't be used"),
        ("https://user:secret@example.org/data", "holds a password"),
    ],
)
def test_root_that_can_not_be_used_is_a_sentence(root: str, sentence: str) -> None:
    with pytest.raises(MeshError, match=sentence) as caught:
        DataStore(PROJECT, "raw", DataSettings(root=root)).versions()
    assert "secret" not in str(caught.value)


def test_root_is_shown_without_secrets() -> None:
    settings = DataSettings(root="https://user:secret@example.org/data?token=abc")
    assert settings.model_dump(mode="json") == {"root": "https://user:***@example.org/data?***"}
    assert "secret" not in repr(settings)
