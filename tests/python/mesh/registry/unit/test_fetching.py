import contextlib
import datetime
import importlib
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.base import ModelVersion
from mesh.registry.fetching import fetch_version
from mesh.registry.transfer import prepare


@pytest.fixture
def version(tmp_path, source, card):
    staging = tmp_path / "staging"
    staging.mkdir()
    manifest = prepare("KEYWORDS-TRAINED", Manifest.of(source).files, card, staging, SecretStr(""))
    shutil.copytree(source, staging, dirs_exist_ok=True)
    version = ModelVersion(
        name="K-TRAINED",
        version=1,
        card=card,
        manifest=manifest,
        created=datetime.datetime.now(datetime.UTC),
        aliases=(),
        attachments={},
    )
    return staging, version


def copy_from(staging):
    def copy(entry, root, advance):
        shutil.copy(staging / entry.path, root / entry.path)
        advance(entry.size)
        return FileEntry.of(root / entry.path, entry.path)

    return copy


def test_manifest_is_that_of_the_whole_directory(version):
    staging, published = version
    assert Manifest.of(staging) == published.manifest == Manifest.read(staging)


def test_fetching_makes_the_same_directory(version, tmp_path):
    staging, published = version
    fetch_version(published, tmp_path / "models" / "K-TRAINED-1", copy_from(staging), ())
    assert Manifest.of(tmp_path / "models" / "K-TRAINED-1") == published.manifest
    assert Manifest.read(tmp_path / "models" / "K-TRAINED-1") == published.manifest


def test_fetched_files_can_be_read_by_others(version, tmp_path):
    staging, published = version
    (staging / "model_artifacts/config.json").chmod(0o600)
    fetch_version(published, tmp_path / "received", copy_from(staging), ())
    assert (tmp_path / "received/model_artifacts/config.json").stat().st_mode & 0o777 == 0o644


def interrupted(download, lost):
    """A connection that is lost in the middle of one file, after the others were downloaded."""

    def fail(entry, root, advance):
        if entry.path != lost:
            return download(entry, root, advance)
        (root / lost).write_bytes(b"half")
        raise ConnectionError("lost")

    return fail


LAST = "test_files/inputs.json"


@pytest.fixture
def left(version, tmp_path, monkeypatch):
    """The rest of an interrupted download: all files but one, and a part of that."""
    monkeypatch.setattr("mesh.registry.transfer.THREADS", 1)
    staging, published = version
    target = tmp_path / "models" / "K-TRAINED-1"
    sizes = {entry.path: entry.size for entry in published.manifest.files}
    monkeypatch.setattr(
        "mesh.registry.transfer.sorted",
        lambda paths, **_: sorted(paths, key=lambda path: path == LAST),
        raising=False,
    )
    assert LAST in sizes
    with pytest.raises(ConnectionError):
        fetch_version(published, target, interrupted(copy_from(staging), LAST), ())
    assert not target.exists()
    (partial,) = target.parent.iterdir()
    return target, partial


def recorded(download):
    calls = []

    def record(entry, root, advance):
        calls.append(entry.path)
        return download(entry, root, advance)

    return record, calls


def test_interrupted_download_is_resumed(version, left):
    staging, published = version
    target, _ = left
    download, calls = recorded(copy_from(staging))
    fetch_version(published, target, download, ())
    assert calls == [LAST]
    assert Manifest.of(target) == published.manifest == Manifest.read(target)
    assert list(target.parent.iterdir()) == [target]


def test_files_of_an_interrupted_download_are_checked(version, left):
    staging, published = version
    target, partial = left
    (partial / "model_artifacts/config.json").write_text("[]")
    # From a download that was killed after the last part.
    (partial / "model_artifacts/model.bin#parts").write_text("0\n")
    (partial / "of another version").mkdir()
    (partial / "of another version" / "a").write_text("a")
    (partial / "of another version" / "b").symlink_to(staging)
    download, calls = recorded(copy_from(staging))
    fetch_version(published, target, download, ())
    assert sorted(calls) == ["model_artifacts/config.json", LAST]
    assert Manifest.of(target) == published.manifest


def test_file_that_cannot_be_resumed_is_downloaded_again(version, left):
    """A download that mistakes the existing file for an undamaged half."""
    staging, published = version
    target, _ = left
    calls = []

    def download(entry, root, advance):
        calls.append(entry.path)
        if not (root / entry.path).exists():
            return copy_from(staging)(entry, root, advance)
        return FileEntry.of(root / entry.path, entry.path)

    fetch_version(published, target, download, ())
    assert calls == [LAST, LAST]
    assert Manifest.of(target) == published.manifest


def test_progress_counts_every_byte_once(version, left, monkeypatch):
    staging, published = version
    target, _ = left
    counted: list[int] = []

    @contextlib.contextmanager
    def track_bytes(description, total):
        assert (description, total) == ("fetching K-TRAINED-1", published.manifest.size)
        yield counted.append

    monkeypatch.setattr("mesh.registry.transfer.track_bytes", track_bytes)
    fetch_version(published, target, copy_from(staging), ())
    assert sum(counted) == published.manifest.size


def test_other_content_than_published_is_refused(version, tmp_path):
    staging, published = version
    (staging / "model_artifacts/config.json").write_text("[]")
    with pytest.raises(
        MeshError,
        match="K-TRAINED-1 is damaged in the registry: model_artifacts/config.json has other",
    ):
        fetch_version(published, tmp_path / "models" / "K-TRAINED-1", copy_from(staging), ())
    assert list((tmp_path / "models").iterdir()) == []


def web_application(directory: Path) -> None:
    (directory / "manifest.json").write_text('{"name": "shop", "start_url": "/"}')
    (directory / "index.html").write_text("<p>shop</p>")


def damaged_version(directory: Path) -> None:
    (directory / "manifest.json").write_text("{")
    (directory / "model_card.json").write_text("{")


@pytest.mark.parametrize(
    ("fill", "damaged"),
    [
        (web_application, "manifest.json"),
        (damaged_version, "manifest.json and model_card.json"),
        (lambda directory: (directory / "manifest.json").mkdir(), "manifest.json"),
    ],
)
def test_only_directories_of_versions_are_replaced(version, tmp_path, fill, damaged):
    staging, published = version
    target = tmp_path / "target"
    target.mkdir()
    fill(target)
    before = {path: path.is_file() and path.read_bytes() for path in target.iterdir()}
    with pytest.raises(MeshError, match=rf"target holds no model.*: {damaged} can't be read"):
        fetch_version(published, target, copy_from(staging), ())
    assert {path: path.is_file() and path.read_bytes() for path in target.iterdir()} == before


@pytest.mark.parametrize("intact", ["manifest.json", "model_card.json"])
def test_a_version_is_recognized_by_its_manifest_or_its_card(version, tmp_path, intact):
    staging, published = version
    target = tmp_path / "target"
    fetch_version(published, target, copy_from(staging), ())
    damaged_version(target)
    (published.manifest if intact == "manifest.json" else published.card).write(target)
    fetch_version(published, target, copy_from(staging), ())
    assert Manifest.of(target) == published.manifest


@pytest.mark.parametrize(
    "moment", ["mesh.core.manifest.sha256_file", "mesh.core.manifest.read_model"]
)
def test_another_process_replaces_the_directory_meanwhile(version, tmp_path, monkeypatch, moment):
    staging, published = version
    target = tmp_path / "received"
    fetch_version(published, target, copy_from(staging), ())
    module, _, name = moment.rpartition(".")
    original = getattr(importlib.import_module(module), name)
    moved: list[Path] = []

    def move_aside(*arguments):
        if not moved:
            moved.append(target.rename(tmp_path / "aside"))
        return original(*arguments)

    monkeypatch.setattr(moment, move_aside)
    fetch_version(published, target, copy_from(staging), ())
    assert moved
    assert Manifest.of(target) == published.manifest


def test_failed_repair_leaves_the_old_files(version, tmp_path):
    staging, published = version
    target = tmp_path / "received"
    fetch_version(published, target, copy_from(staging), ())
    (target / "model_artifacts/config.json").unlink()
    (staging / "model_artifacts/config.json").write_text("[]")
    with pytest.raises(MeshError, match="damaged in the registry"):
        fetch_version(published, target, copy_from(staging), ())
    assert (target / "model_artifacts/model.bin").is_file()
    assert not (target / "model_artifacts/config.json").exists()
