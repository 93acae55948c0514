import os
import shutil
import time
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.mlflow.unfinished import open_unfinished
from mesh.registry.settings import RegistrySettings

SETTINGS = RegistrySettings(uri="http://registry:5000")
ENTRY = FileEntry(path="a", size=1, sha256="0" * 64)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "version"
    directory.mkdir()
    for name in ("a", "b"):
        (directory / name).write_text(name)
    return directory


def opened(directory: Path, name: str = "A-TRAINED", settings: RegistrySettings = SETTINGS):
    return open_unfinished(settings, name, Manifest.of(directory))


def interrupt(directory: Path) -> None:
    with opened(directory) as unfinished:
        unfinished.begin("run", "mlflow-artifacts:/1/run")
        unfinished.store(ENTRY)
        unfinished.begin_parts("b", "upload", ["http://storage/b?part=1"])
        unfinished.send_part("b", 0, "tag")


def test_the_same_content_is_resumed(directory, tmp_path):
    interrupt(directory)
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    with opened(copy) as unfinished:
        assert unfinished.progress.run_id == "run"
        assert unfinished.progress.stored == {"a": ENTRY}
        assert unfinished.progress.parts["b"].tags == {0: "tag"}


def change(directory: Path) -> None:
    (directory / "a").write_text("c")


def add(directory: Path) -> None:
    (directory / "c").write_text("c")


@pytest.mark.parametrize("act", [change, add])
def test_other_content_is_not(directory, act):
    interrupt(directory)
    act(directory)
    with opened(directory) as unfinished:
        assert unfinished.progress.run_id == ""


def test_other_models_and_registries_are_not(directory):
    interrupt(directory)
    other = RegistrySettings(uri="http://other:5000")
    for unfinished in (opened(directory, name="B-TRAINED"), opened(directory, settings=other)):
        with unfinished as found:
            assert found.progress.run_id == ""


def test_a_publish_of_another_process_is_not_resumed(directory):
    interrupt(directory)
    with opened(directory) as first, opened(directory) as second:
        assert (first.kept, first.progress.run_id) == (True, "run")
        assert (second.kept, second.progress.run_id) == (False, "")
        second.begin("other", "")
        second.end()
    with opened(directory) as unfinished:
        assert unfinished.progress.run_id == "run"


def test_another_run_has_nothing_yet(directory):
    interrupt(directory)
    with opened(directory) as unfinished:
        unfinished.begin("other", "")
        assert unfinished.progress.stored == {}


def test_nothing_is_left_at_the_end(directory, tmp_path):
    interrupt(directory)
    with opened(directory) as unfinished:
        unfinished.end()
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_damaged_and_old_records_do_not_count(directory, tmp_path):
    interrupt(directory)
    (record,) = (tmp_path / "cache").rglob("*.json")
    content = record.read_bytes()
    record.write_bytes(content[:-9])
    with opened(directory) as unfinished:
        assert unfinished.progress.run_id == ""
    record.write_bytes(content)
    month_ago = time.time() - 30 * 24 * 3600
    os.utime(record, (month_ago, month_ago))
    with opened(directory) as unfinished:
        assert unfinished.progress.run_id == ""


def test_without_a_folder_nothing_is_kept(directory, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with opened(directory) as unfinished:
        unfinished.begin("run", "")
        unfinished.store(ENTRY)
        assert not unfinished.kept
    with opened(directory) as unfinished:
        assert unfinished.progress.run_id == ""


def test_only_the_user_can_read_pre_signed_urls(directory, tmp_path):
    interrupt(directory)
    (record,) = (tmp_path / "cache").rglob("*.json")
    assert record.parent.stat().st_mode & 0o077 == 0


def test_disk_that_is_full(directory, monkeypatch):
    def fail(*_):
        raise MeshError("no space left on device")

    with opened(directory) as unfinished:
        monkeypatch.setattr("mesh.registry.mlflow.unfinished.write_json_atomic", fail)
        unfinished.begin("run", "")
        unfinished.store(ENTRY)
        assert not unfinished.kept
