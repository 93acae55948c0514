"""Sources and versions on S3, against a real server of its protocol."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from mesh.core.errors import MeshError
from mesh.core.project import Project
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.settings import DataSettings
from mesh.data.shards import write_shards
from mesh.data.sources import find_files
from mesh.data.store import DataStore
from mesh.data.tags import Tagging

SCHEMA = pa.schema([pa.field("text", pa.string())])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    httpx.post(f"{endpoint}/moto-api/reset", trust_env=False).raise_for_status()
    httpx.put(f"{endpoint}/bucket", trust_env=False).raise_for_status()
    s3fs.S3FileSystem.clear_instance_cache()
    yield s3fs.S3FileSystem()
    s3fs.S3FileSystem.clear_instance_cache()


def store() -> DataStore:
    project = Project(name="tiny", description="", port=1)
    return DataStore(project, "raw", DataSettings(root="s3://bucket/data"))


def make_version(folder: Path, texts: list[str]) -> DataManifest:
    folder.mkdir(exist_ok=True)
    shards = write_shards(({"text": text} for text in texts), SCHEMA, folder, "all")
    return DataManifest(
        project="tiny",
        kind="raw",
        row_schema=describe_schema(SCHEMA),
        shards=tuple(shards),
        inputs="inputs",
        source={},
    )


def test_files_are_found_and_downloaded(bucket: s3fs.S3FileSystem, tmp_path: Path) -> None:
    bucket.pipe_file("bucket/raw/a.csv", b"text\none\n")
    bucket.pipe_file("bucket/raw/below/b.jsonl", b'{"text": "two"}\n')
    bucket.pipe_file("bucket/raw/notes.txt", b"")
    files = find_files("s3://bucket/raw")
    assert [file.name for file in files] == [
        "s3://bucket/raw/a.csv",
        "s3://bucket/raw/below/b.jsonl",
    ]
    with files[0].local(tmp_path) as path:
        assert path.read_bytes() == b"text\none\n"
    assert list(tmp_path.iterdir()) == []
    bucket.pipe_file("bucket/raw/a.csv", b"text\ntwo\n")
    bucket.invalidate_cache()
    assert find_files("s3://bucket/raw/*.csv")[0].revision != files[0].revision


def test_file_that_shrinks_while_it_is_read_is_refused(
    bucket: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    bucket.pipe_file("bucket/raw/a.csv", b"text\none\n")
    [file] = find_files("s3://bucket/raw/a.csv")
    bucket.pipe_file("bucket/raw/a.csv", b"text\n")
    with pytest.raises(MeshError, match="5 of 9 bytes were downloaded"), file.local(tmp_path):
        pass


@pytest.mark.parametrize(
    "address", ["s3://bucket/raw/missing.csv", "s3://missing/raw", "s3://bucket/raw/"]
)
def test_nothing_there_is_a_sentence(bucket: s3fs.S3FileSystem, address: str) -> None:
    with pytest.raises(MeshError, match=r"does not exist|holds no data"):
        find_files(address)


def test_version_is_stored_found_fetched_and_repaired(
    bucket: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    manifest = store().publish(tmp_path / "a", make_version(tmp_path / "a", ["one", "two"]))
    assert store().versions() == [manifest.version]
    assert store().get() == store().find("inputs") == manifest
    with store().local(manifest, tmp_path) as local:
        assert list(local.rows("all")) == [{"text": "one"}, {"text": "two"}]
    shard = f"bucket/data/tiny/raw/{manifest.version}/all-00000.parquet"
    bucket.pipe_file(shard, b"damaged")
    assert store().find("inputs") is None
    with pytest.raises(MeshError, match="damaged"):
        store().fetch(manifest, tmp_path / "fetched")
    store().publish(tmp_path / "a", manifest)
    assert store().problems(manifest) == []


def test_version_without_a_manifest_is_none(bucket: s3fs.S3FileSystem, tmp_path: Path) -> None:
    manifest = make_version(tmp_path / "a", ["one"])
    path = f"bucket/data/tiny/raw/{manifest.version}/all-00000.parquet"
    bucket.put_file(str(tmp_path / "a/all-00000.parquet"), path)
    assert store().versions() == []
    store().publish(tmp_path / "a", manifest)
    assert store().versions() == [manifest.version]


def test_tag_on_s3_restores_a_version(bucket: s3fs.S3FileSystem, tmp_path: Path) -> None:
    project = Project(name="tiny", description="", port=1)
    features = DataStore(project, "features", DataSettings(root="s3://bucket/data"))
    made = make_version(tmp_path / "a", ["one", "two"])
    manifest = features.publish(tmp_path / "a", made.model_copy(update={"kind": "features"}))
    assert features.tag("dataset_v1", manifest, tmp_path) == Tagging.NEW
    [*_, stored] = bucket.find("bucket/data/tiny/dvc")
    bucket.pipe_file(stored, b"damaged")
    assert any(features.check().values())
    assert features.tag("dataset_v1", manifest, tmp_path) == Tagging.REPAIRED
    assert not any(features.check().values())
    bucket.rm(f"bucket/data/tiny/features/{manifest.version}", recursive=True)
    assert features.get("dataset_v1") == manifest
    local = features.fetch(manifest, tmp_path / "fetched")
    assert [row["text"] for row in local.rows("all")] == ["one", "two"]
    features.untag("dataset_v1")
    assert features.tags_of(manifest) == []
