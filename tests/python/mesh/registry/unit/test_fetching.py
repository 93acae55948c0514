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
from mesh.registry.fetching import receive
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


def test_receive_makes_the_same_directory(version, tmp_path):
    staging, published = version
    receive(published, tmp_path / "models" / "K-TRAINED-1", copy_from(staging), ())
    assert Manifest.of(tmp_path / "models" / "K-TRAINED-1") == published.manifest
    assert Manifest.read(tmp_path / "models" / "K-TRAINED-1") == published.manifest


def test_received_files_can_be_read_by_others(version, tmp_path):
    staging, published = version
    (staging / "model_artifacts/config.json").chmod(0o600)
    receive(published, tmp_path / "received", copy_from(staging), ())
    assert (tmp_path / "received/model_artifacts/config.json").stat().st_mode & 0o777 == 0o644


def interrupted(download, lost):
    """A connection that is lost in the middle of one file, after the others were moved."""

    def fail(entry, root, advance):
        if entry.path != lost:
            return download(entry, root, advance)
        (root / lost).write_bytes(b"half")
        raise ConnectionError("lost")

    return fail


LAST = "test_files/inputs.json"


@pytest.fixture
def left(version, tmp_path, monkeypatch):
    """What an interrupted download has left: all files but one, and a part of that."""
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
        receive(published, target, interrupted(copy_from(staging), LAST), ())
    assert not target.exists()
    (partial,) = target.parent.iterdir()
    return target, partial


def recorded(download):
    calls = []

    def record(entry, root, advance):
        calls.append(entry.path)
        return download(entry, root, advance)

    return record, calls


def test_interrupted_download_is_gone_on_with(version, left):
    staging, published = version
    target, _ = left
    download, calls = recorded(copy_from(staging))
    receive(published, target, download, ())
    assert calls == [LAST]
    assert Manifest.of(target) == published.manifest == Manifest.read(target)
    assert list(target.parent.iterdir()) == [target]


def test_what_an_interrupted_download_has_left_is_checked(version, left):
    staging, published = version
    target, partial = left
    (partial / "model_artifacts/config.json").write_text("[]")
    # Of a download that was killed after the last part.
    (partial / "model_artifacts/model.bin#parts").write_text("0\n")
    (partial / "of another version").mkdir()
    (partial / "of another version" / "a").write_text("a")
    (partial / "of another version" / "b").symlink_to(staging)
    download, calls = recorded(copy_from(staging))
    receive(published, target, download, ())
    assert sorted(calls) == ["model_artifacts/config.json", LAST]
    assert Manifest.of(target) == published.manifest


def test_what_can_not_be_gone_on_with_is_downloaded_again(version, left):
    """A download that takes what is there for a sound half of the file."""
    staging, published = version
    target, _ = left
    calls = []

    def download(entry, root, advance):
        calls.append(entry.path)
        if not (root / entry.path).exists():
            return copy_from(staging)(entry, root, advance)
        return FileEntry.of(root / entry.path, entry.path)

    receive(published, target, download, ())
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
    receive(published, target, copy_from(staging), ())
    assert sum(counted) == published.manifest.size


def test_other_content_than_published_is_refused(version, tmp_path):
    staging, published = version
    (staging / "model_artifacts/config.json").write_text("[]")
    with pytest.raises(
        MeshError,
        match="K-TRAINED-1 is damaged in the registry: model_artifacts/config.json has other",
    ):
        receive(published, tmp_path / "models" / "K-TRAINED-1", copy_from(staging), ())
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
def test_only_what_is_known_to_be_a_version_is_replaced(version, tmp_path, fill, damaged):
    staging, published = version
    target = tmp_path / "target"
    target.mkdir()
    fill(target)
    before = {path: path.is_file() and path.read_bytes() for path in target.iterdir()}
    with pytest.raises(MeshError, match=rf"target holds no model.*: {damaged} can't be read"):
        receive(published, target, copy_from(staging), ())
    assert {path: path.is_file() and path.read_bytes() for path in target.iterdir()} == before


@pytest.mark.parametrize("intact", ["manifest.json", "model_card.json"])
def test_a_version_is_known_by_its_manifest_or_its_card(version, tmp_path, intact):
    staging, published = version
    target = tmp_path / "target"
    receive(published, target, copy_from(staging), ())
    damaged_version(target)
    (published.manifest if intact == "manifest.json" else published.card).write(target)
    receive(published, target, copy_from(staging), ())
    assert Manifest.of(target) == published.manifest


@pytest.mark.parametrize(
    "moment", ["mesh.core.manifest.sha256_file", "mesh.core.manifest.read_model"]
)
def test_another_process_replaces_what_is_looked_at(version, tmp_path, monkeypatch, moment):
    staging, published = version
    target = tmp_path / "received"
    receive(published, target, copy_from(staging), ())
    module, _, name = moment.rpartition(".")
    original = getattr(importlib.import_module(module), name)
    moved: list[Path] = []

    def move_aside(*arguments):
        if not moved:
            moved.append(target.rename(tmp_path / "aside"))
        return original(*arguments)

    monkeypatch.setattr(moment, move_aside)
    receive(published, target, copy_from(staging), ())
    assert moved
    assert Manifest.of(target) == published.manifest


def test_failed_repair_leaves_what_was_there(version, tmp_path):
    staging, published = version
    target = tmp_path / "received"
    receive(published, target, copy_from(staging), ())
    (target / "model_artifacts/config.json").unlink()
    (staging / "model_artifacts/config.json").write_text("[]")
    with pytest.raises(MeshError, match="damaged in the registry"):
        receive(published, target, copy_from(staging), ())
    assert (target / "model_artifacts/model.bin").is_file()
    assert not (target / "model_artifacts/config.json").exists()
