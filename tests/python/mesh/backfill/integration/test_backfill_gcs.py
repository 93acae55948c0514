"""Inputs and outputs on GCS, which a server on this machine stands in for."""

import json
from collections.abc import Iterator

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mesh.backfill import storage
from mesh.core.errors import UsageError
from services.gcs import BUCKET, GcsServer, run_gcs
from shout_project import plan

ROWS = [{"id": f"r{number}", "text": f"text {number}"} for number in range(50)]
OUTPUT = f"gs://{BUCKET}/out"
FLAGS = ("--input", f"gs://{BUCKET}/in/*", "--output", OUTPUT, "--id", "id", "--shard-mb", "0.0005")


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    """An input in a bucket, which anyone may use."""
    monkeypatch.setattr(storage, "PAUSE", 0.001)
    for scheme in ("gs", "gcs"):
        monkeypatch.setitem(fsspec.config.conf, scheme, {"token": "anon"})
    with run_gcs() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(ROWS), sink, row_group_size=10)
        server.write("in/a.parquet", sink.getvalue().to_pybytes())
        server.write("in/b.jsonl", json.dumps({"id": "b", "text": "refuse"}).encode())
        yield server
    fsspec.filesystem("gs").clear_instance_cache()


def written(gcs: GcsServer) -> dict[str, bytes]:
    """The results, without figures of the run."""
    return {
        name: content
        for name, (content, _) in gcs.objects.items()
        if name.startswith("out/") and not name.endswith("_summary.json")
    }


def test_input_and_output_lie_on_gcs(gcs: GcsServer) -> None:
    assert plan(*FLAGS).run() == 0
    [success] = [name for name in gcs.objects if name.endswith("_SUCCESS")]
    root = success.removesuffix("_SUCCESS")
    manifest = json.loads(gcs.objects[f"{root}manifest.json"][0])
    assert (manifest["rows"], manifest["rejected"]) == (50, 1)
    assert all(entry["version"].startswith("etag:") for entry in manifest["inputs"])
    listed = [shard["data"]["path"] for shard in manifest["shards"]]
    assert sorted(name for name in gcs.objects if "/data/" in name) == sorted(
        f"{root}{name}" for name in listed
    )
    table = pq.read_table(pa.BufferReader(gcs.objects[f"{root}{listed[0]}"][0]))
    assert table.column_names == ["id", "markup", "shout", "words", "language"]
    gcs.requests.clear()
    assert plan(*FLAGS).run() == 0
    assert {request.split()[0] for request in gcs.requests} == {"GET"}
    assert plan(*FLAGS).verify() == 0


def test_only_what_has_changed_or_is_missing_is_made(gcs: GcsServer) -> None:
    assert plan(*FLAGS).run() == 0
    before = written(gcs)
    lost = next(name for name in gcs.objects if "/data/a" in name)
    del gcs.objects[lost]
    gcs.requests.clear()
    assert plan(*FLAGS).run() == 0
    assert written(gcs) == before
    gcs.write("in/b.jsonl", json.dumps({"id": "b", "text": "well"}).encode())
    assert plan(*FLAGS).run() == 0
    kept = {name for name, content in written(gcs).items() if before.get(name) == content}
    assert {name for name in before if "/data/a" in name} <= kept


def test_requests_that_fail_are_made_again(gcs: GcsServer) -> None:
    assert plan(*FLAGS).run() == 0
    before = written(gcs)
    for name in before:
        del gcs.objects[name]
    # The client waits for a second before it tries again, for two before the third time.
    gcs.refusals = 1
    assert plan(*FLAGS).run() == 0
    assert gcs.refusals == 0
    assert written(gcs) == before


def test_input_that_is_missing_is_a_sentence(gcs: GcsServer) -> None:
    with pytest.raises(UsageError, match=rf"gs://{BUCKET}/none.jsonl does not exist\.$"):
        plan("--input", f"gs://{BUCKET}/none.jsonl", *FLAGS[2:])
    with pytest.raises(UsageError, match=rf"gs://{BUCKET}/none/\* has no files\.$"):
        plan("--input", f"gs://{BUCKET}/none/*", *FLAGS[2:])
