import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mesh.backfill import storage
from mesh.core.errors import MeshError
from services.s3 import BUCKET, ENVIRONMENT, Storage, run_s3
from shout_project import plan

ROWS = [{"id": f"r{number}", "text": f"text {number}"} for number in range(50)]
INPUT = f"s3://{BUCKET}/in/*"
OUTPUT = f"s3://{BUCKET}/out"
FLAGS = ("--input", INPUT, "--output", OUTPUT, "--id", "id", "--shard-mb", "0.0005")


@pytest.fixture(scope="module")
def server() -> Iterator[Storage]:
    with run_s3() as made:
        yield made


@pytest.fixture
def s3(server: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """An input in a bucket."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setattr(storage, "PAUSE", 0.001)
    server.clear()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink, row_group_size=10)
    server.write("in/a.parquet", sink.getvalue().to_pybytes())
    server.write("in/b.jsonl", json.dumps({"id": "b", "text": "refuse"}).encode())
    yield server
    server.faults.failing = server.faults.forbidden = ""
    server.faults.refusals = 0
    fsspec.filesystem("s3").clear_instance_cache()


def test_input_and_output_lie_on_s3(s3: Storage) -> None:
    assert plan(*FLAGS).run() == 0
    paths = s3.paths()
    [success] = [path for path in paths if path.endswith("_SUCCESS")]
    root = success.removesuffix("_SUCCESS")
    manifest = json.loads(s3.read(f"{root}manifest.json"))
    assert (manifest["rows"], manifest["rejected"]) == (50, 1)
    assert all(entry["version"].startswith("ETag:") for entry in manifest["inputs"])
    listed = [shard["data"]["path"] for shard in manifest["shards"]]
    assert sorted(path.removeprefix(root) for path in paths if "/data/" in path) == sorted(listed)
    table = pq.read_table(pa.BufferReader(s3.read(f"{root}{listed[0]}")))
    assert table.column_names == ["id", "markup", "shout", "words", "language"]
    s3.requests.clear()
    assert plan(*FLAGS).run() == 0
    assert not [request for request in s3.requests if request.startswith(("PUT", "POST", "DELETE"))]
    assert plan(*FLAGS).verify() == 0


def test_files_are_put_once_and_success_comes_last(s3: Storage) -> None:
    assert plan(*FLAGS).run() == 0
    put = [request.split("?")[0] for request in s3.requests if request.startswith("PUT")]
    assert len(put) == len(set(put))
    assert put[-1].endswith("/_SUCCESS")
    assert put[-2].endswith("/manifest.json")


def test_requests_that_fail_are_made_again(s3: Storage) -> None:
    whole = plan(*FLAGS)
    assert whole.run() == 0
    before = {path: s3.read(path) for path in s3.paths() if not path.endswith("_summary.json")}
    for path in before:
        if path.startswith("out/"):
            s3.remove(path)
    s3.faults.refusals = 12
    assert plan(*FLAGS).run() == 0
    assert s3.faults.refusals == 0
    after = {path: s3.read(path) for path in s3.paths() if not path.endswith("_summary.json")}
    assert after == before


def test_changed_object_is_computed_anew(s3: Storage) -> None:
    assert plan(*FLAGS).run() == 0
    s3.write("in/b.jsonl", json.dumps({"id": "b", "text": "fine"}).encode())
    backfill = plan(*FLAGS)
    assert backfill.verify() == 1
    assert backfill.run() == 0
    assert not [path for path in s3.paths() if "/rejected/" in path]


@pytest.mark.parametrize(
    ("forbidden", "sentence"),
    [("PUT", "out/.* can't be (used|written)"), ("GET .*in/a", "in/a.parquet may not be read")],
)
def test_forbidden_request_is_a_sentence(forbidden: str, sentence: str, s3: Storage) -> None:
    s3.faults.forbidden = forbidden
    with pytest.raises(MeshError, match=sentence):
        plan(*FLAGS).run()


def test_bucket_that_is_not_there_is_a_sentence(s3: Storage) -> None:
    assert s3.paths()
    with pytest.raises(MeshError, match="The output s3://none/out.* can't be used|does not exist"):
        plan(*FLAGS[:2], "--output", "s3://none/out", *FLAGS[4:]).run()


def test_local_results_of_remote_input(s3: Storage, workspace: Path) -> None:
    assert s3.paths()
    assert plan(*FLAGS[:2], "--output", "out", *FLAGS[4:]).run() == 0
    assert list(workspace.glob("out/*/_SUCCESS"))
