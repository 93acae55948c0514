"""Folders of predictions: logs of servers and outputs of backfills, and what is wrong with them."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from mesh.backfill.manifest import BackfillManifest, ModelEntry, ShardRecord
from mesh.core.digest import sha256_file
from mesh.core.errors import UsageError
from mesh.core.manifest import FileEntry
from mesh.drift import backfills
from mesh.drift.sources import Predictions, Served, Wanted, read_predictions
from prediction_logs import FINGERPRINT, NOW, PROJECT, records, write_log

Read = Callable[..., Predictions]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def read(folder: Path, version: str = "", hours: float | None = None) -> Predictions:
    since = None if hours is None else NOW - timedelta(hours=hours)
    return read_predictions(folder, Wanted(PROJECT, version, since, "--log"))


def test_a_log(log: Path) -> None:
    earlier = NOW - timedelta(hours=30)
    write_log(log, records(3, time=earlier), "a")
    write_log(log, records(4), "b")
    found = read(log)
    assert found.served == Served("1", FINGERPRINT)
    assert (found.first, found.last) == (earlier, NOW - timedelta(hours=1))
    assert found.sample.predictions == 7
    assert found.sample.labels["label"].total() == 7
    assert set(found.sample.labels) == {"label", "names.kind", "document.language"}
    assert set(found.sample.numbers) == {"score", "document.characters"}
    assert read(log, hours=24).sample.predictions == 4


def test_a_file_that_the_server_has_removed_meanwhile(log: Path) -> None:
    write_log(log, records(4), "b")
    (log / "predictions-a.jsonl.gz").symlink_to(log / "gone")
    assert read(log).sample.predictions == 4


def test_one_of_several_versions(log: Path) -> None:
    write_log(log, [*records(3), *records(5, version="2", fingerprint="abc")])
    assert read(log, "1").sample.predictions == 3
    assert read(log, "2").sample.predictions == 5
    assert read(log, "ab").served == Served("2", "abc")
    for version, problem in (
        ("", r"several versions: 1 \(f{12}\), 2 \(abc\)\. Name one by --version"),
        ("3", r"no predictions of version 3; it has those of 1 \(f{12}\), 2 \(abc\)"),
    ):
        with pytest.raises(UsageError, match=problem):
            read(log, version)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def no_gzip(file: Path) -> None:
    file.write_text('{"schema_version": 1}')


def no_json(file: Path) -> None:
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b"\xff\xfe{\n"))


def no_record(file: Path) -> None:
    file.write_bytes(gzip.compress(b'{"schema_version": 1, "time": "yesterday"}\n'))


def newer(file: Path) -> None:
    content = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(content.replace(b'"schema_version":1', b'"schema_version":2')))


@pytest.mark.parametrize("damage", [cut, flip, no_gzip, no_json, no_record, newer])
def test_damaged_files(log: Path, damage: Callable[[Path], None]) -> None:
    damage(write_log(log, records(200)))
    with pytest.raises(UsageError, match=r"predictions-.*\.jsonl\.gz is damaged") as caught:
        read(log)
    assert str(caught.value).endswith("Remove the file to compare the others.")


def test_folders_without_predictions(log: Path) -> None:
    with pytest.raises(UsageError, match="--log .*log isn't a folder"):
        read(log)
    log.mkdir()
    with pytest.raises(UsageError, match="has no predictions: neither"):
        read(log)
    write_log(log, [])
    with pytest.raises(UsageError, match=r"--log .*log has no predictions\."):
        read(log)
    write_log(log, records(3, time=NOW - timedelta(hours=30)))
    with pytest.raises(UsageError, match=r"has no predictions since 20.* UTC\."):
        read(log, hours=24)


def test_another_models_log(log: Path) -> None:
    write_log(log, [*records(3), *records(3, model="books")])
    with pytest.raises(UsageError, match="has predictions of books, not of films"):
        read(log)


def test_times_in_the_future(log: Path) -> None:
    write_log(log, records(3, time=NOW + timedelta(minutes=1)))
    assert read(log).sample.predictions == 3
    write_log(log, records(3, time=NOW + timedelta(days=2)))
    with pytest.raises(UsageError, match=r"\(line 1\), which is in the future: the clock"):
        read(log)


class Review(BaseModel):
    label: str
    score: float


class Response(BaseModel):
    outputs: list[Review]
    backend: str


class Films:
    response_model = Response


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output of a backfill."""
    monkeypatch.setattr(backfills, "model_class", lambda _: Films)
    folder = tmp_path / "out/model=0123456789abcdef"
    data = folder / "data/a.parquet"
    data.parent.mkdir(parents=True)
    rows = [{"id": f"{n}", "label": "good", "score": n / 9, "backend": "own"} for n in range(10)]
    pq.write_table(pa.Table.from_pylist(rows), data)
    entry = FileEntry(path="data/a.parquet", size=data.stat().st_size, sha256=sha256_file(data))
    shard = ShardRecord(
        name="a",
        key="k",
        input="in",
        shard=0,
        first_row=0,
        rows=10,
        rejected=0,
        reasons={},
        data=entry,
        rejects=None,
    )
    manifest = BackfillManifest(
        project="films",
        model=ModelEntry(
            name="films",
            version="FILMS-COMPILED-7",
            fingerprint="0123456789abcdef",
            made_from={"version": FINGERPRINT},
        ),
        code_revision="c",
        settings={},
        columns={},
        inputs=(),
        rows=10,
        rejected=0,
        shards=(shard,),
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    (folder / "_SUCCESS").touch()
    return folder


def test_a_backfill(output: Path) -> None:
    for folder in (output, output.parent):
        found = read(folder)
        assert found.served == Served("7", FINGERPRINT)
        assert found.sample.predictions == 10
        assert found.sample.numbers["score"][9] == 1
        assert set(found.sample.numbers) == {"score", "label.characters", "backend.characters"}


def test_backfills_that_cannot_be_read(output: Path) -> None:
    (output / "data/a.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        UsageError, match=r"a\.parquet can't be read \(.*\); run the backfill again"
    ):
        read(output)
    (output / "_SUCCESS").unlink()
    with pytest.raises(UsageError, match="isn't complete; run it again"):
        read(output)
    (output.parent / "model=other").mkdir()
    with pytest.raises(UsageError, match="has the results of several models"):
        read(output.parent)


def test_another_projects_backfill(output: Path) -> None:
    file = output / "manifest.json"
    file.write_text(file.read_text().replace('"project":"films"', '"project":"books"'))
    with pytest.raises(UsageError, match="has predictions of books, not of films"):
        read(output)
