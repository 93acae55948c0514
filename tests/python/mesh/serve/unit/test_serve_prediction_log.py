"""The log of predictions: complete files, bounded, and never in the way of an answer."""

import asyncio
import errno
import gzip
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from echo_model import PREDICT, Answer, Echo, Item, Question, Serve, body
from mesh.core.digest import fingerprint
from mesh.core.errors import UsageError
from mesh.serve.prediction_log import log as prediction_log
from mesh.serve.prediction_log.log import MOST_WAITING, PredictionLog
from mesh.serve.prediction_log.record import PATTERN, Record
from mesh.serve.settings import ServeSettings


def lines(folder: Path) -> list[Record]:
    return [
        Record.model_validate_json(line)
        for file in sorted(folder.glob(PATTERN))
        for line in gzip.decompress(file.read_bytes()).splitlines()
    ]


def asked(*documents: str) -> tuple[Question, Answer]:
    return Question(inputs=[Item(document=text) for text in documents]), Answer(
        outputs=list(documents)
    )


class Counted:
    """A log with its counts."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._registry = CollectorRegistry()
        names = {f"prediction_log_{name}": value for name, value in settings.items()}
        chosen = ServeSettings(**{"prediction_log_share": 1, **names})
        self.log = PredictionLog(folder, Echo(), chosen, self._registry)

    @property
    def written(self) -> float:
        return self._registry.get_sample_value("prediction_log_records_total") or 0

    def dropped(self, reason: str) -> float:
        labels = {"reason": reason}
        return self._registry.get_sample_value("prediction_log_dropped_total", labels) or 0


def test_what_a_server_logs(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "of" / "log"

    async def scenario() -> None:
        async with serve(Echo(), prediction_log_dir=folder, prediction_log_share=1) as client:
            await client.post(PREDICT, json=body("secret", "text"))
            await client.post(PREDICT, json=body("usage"))
            lines_of = {"accept": "application/x-ndjson"}
            await client.post(PREDICT, json=body("abc"), headers=lines_of)
            tensors = [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["abcd"]}]
            await client.post("/v2/models/echo/infer", json={"inputs": tensors})

    asyncio.run(scenario())
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = lines(folder)
    assert [one.characters for one in found] == [6, 4, 3, 4]
    assert found[0].facts == {"characters": 6.0}
    assert {(one.model, one.version, one.fingerprint) for one in found} == {
        ("echo", "1", fingerprint({}))
    }
    assert b"secret" not in gzip.decompress(file.read_bytes())


def test_it_is_off_by_default(serve: Serve, tmp_path: Path) -> None:
    async def scenario() -> str:
        async with serve(Echo()) as client:
            await client.post(PREDICT, json=body("a"))
            return (await client.get("/metrics")).text

    assert "prediction_log" not in asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_texts_are_logged_if_they_are_asked_for(tmp_path: Path) -> None:
    one = Counted(tmp_path, text=True)
    one.log.start()
    one.log.offer(*asked("Marie Curie", ""))
    one.log.close()
    assert [each.text for each in lines(tmp_path)] == ["Marie Curie", ""]
    assert one.written == 2


def test_a_share_of_the_requests_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chances = iter([0.2, 0.3, 0.29, 0.9])
    monkeypatch.setattr("random.random", lambda: next(chances))
    one = Counted(tmp_path, share=0.3)
    one.log.start()
    for text in ("first", "second", "third", "fourth"):
        one.log.offer(*asked(text))
    one.log.close()
    assert [each.characters for each in lines(tmp_path)] == [5, 5]


def test_a_full_queue_drops_and_does_not_wait(tmp_path: Path) -> None:
    one = Counted(tmp_path)
    for _ in range(MOST_WAITING + 3):
        one.log.offer(*asked("a"))
    assert one.dropped("queue_full") == 3
    one.log.start()
    one.log.close()
    assert len(lines(tmp_path)) == MOST_WAITING


def test_waiting_documents_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_log, "MOST_CHARACTERS", 10)
    one = Counted(tmp_path)
    one.log.offer(*asked("x" * 6))
    one.log.offer(*asked("x" * 5))
    one.log.offer(*asked("x" * 4))
    assert one.dropped("queue_full") == 1
    one.log.start()
    one.log.close()
    assert [each.characters for each in lines(tmp_path)] == [6, 4]


def test_a_full_disk_is_a_counted_drop_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # One file for each request; the disk has room again for the third.
    one = Counted(tmp_path, file_mb=1e-6)
    room = iter([False, False, True, False])
    rename = Path.replace

    def replace(path: Path, target: Path) -> None:
        if not next(room):
            raise OSError(errno.ENOSPC, "No space left on device")
        rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    for text in ("a", "bb", "ccc", "dddd"):
        one.log.offer(*asked(text))
    one.log.start()
    one.log.close()
    assert (one.dropped("not_written"), one.written) == (3, 1)
    assert [each.characters for each in lines(tmp_path)] == [3]
    assert len(list(tmp_path.iterdir())) == 1
    # Once for each time in which nothing could be written.
    problems = [record.getMessage() for record in caplog.records]
    assert len(problems) == 2
    assert all("No space left on device" in problem for problem in problems)


def test_a_folder_that_is_removed_is_made_again_or_its_lines_are_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "log"
    one = Counted(folder)
    folder.rmdir()
    one.log.offer(*asked("a"))
    one.log.start()
    one.log.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.characters for each in lines(folder)] == [1]
    other = Counted(tmp_path / "other")
    (tmp_path / "other").rmdir()
    (tmp_path / "other").touch()
    other.log.offer(*asked("a"))
    other.log.start()
    other.log.close()
    assert (other.dropped("not_written"), other.written) == (1, 0)
    [record] = caplog.records
    assert "File exists" in record.getMessage()


def test_what_cannot_be_read_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = Counted(tmp_path)
    question, _ = asked("a")
    one.log.start()
    one.log.offer(question, object())
    one.log.offer(question, object())
    one.log.offer(*asked("b"))
    one.log.close()
    assert (one.dropped("failed"), one.written) == (2, 1)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("settings", [{"file_mb": 1e-6}, {"seconds": 1e-9}])
def test_files_end_by_size_and_by_time(tmp_path: Path, settings: dict[str, float]) -> None:
    one = Counted(tmp_path, **settings)
    for text in ("a", "bb", "ccc"):
        one.log.offer(*asked(text))
    one.log.start()
    one.log.close()
    assert len(list(tmp_path.glob(PATTERN))) >= (3 if "file_mb" in settings else 1)
    assert [each.characters for each in lines(tmp_path)] == [1, 2, 3]


def test_old_files_go(tmp_path: Path) -> None:
    kept = ["predictions-20200102-a.jsonl.gz", "notes.txt"]
    for name in ("predictions-20200101-a.jsonl.gz", *kept):
        (tmp_path / name).write_bytes(b"x" * 5000)
    one = Counted(tmp_path, file_mb=0.004, max_mb=0.01)
    one.log.start()
    one.log.offer(*asked("a"))
    one.log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[:2] == sorted(kept)
    assert len(names) == 3


def test_what_a_killed_server_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".predictions-20200101-a.jsonl.gz.x.partial"
    left.touch()
    one = Counted(tmp_path)
    one.log.start()
    one.log.close()
    assert not left.exists()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"prediction_log_max_mb": 4}, "can't hold two files"),
        ({"prediction_log_share": 0}, "greater than 0"),
        ({"prediction_log_share": 1.1}, "less than or equal to 1"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ServeSettings(**settings)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        with pytest.raises(UsageError, match=r"SERVE_PREDICTION_LOG_DIR=.* can't be used \("):
            Counted(folder)


def test_records_are_lines_of_json(tmp_path: Path) -> None:
    one = Counted(tmp_path)
    one.log.start()
    one.log.offer(*asked("a\nb"))
    one.log.close()
    [file] = tmp_path.iterdir()
    [line] = gzip.decompress(file.read_bytes()).splitlines()
    found: dict[str, Any] = json.loads(line)
    assert found.pop("time").endswith("Z")
    expected: dict[str, Any] = {
        "schema_version": 1,
        "model": "echo",
        "version": "1",
        "fingerprint": fingerprint({}),
        "characters": 3,
        "facts": {"characters": 3.0},
    }
    assert found == expected


def test_errors_do_not_show_texts() -> None:
    with pytest.raises(ValidationError) as caught:
        Record.model_validate({"time": "yesterday", "text": "a secret", "facts": {"x": ["secret"]}})
    assert "secret" not in str(caught.value)
