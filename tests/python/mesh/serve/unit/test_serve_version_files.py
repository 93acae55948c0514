import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh.core import manifest
from mesh.core.card import CARD_FILE, COMPILED, ModelCard
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.serve import version_files
from mesh.serve.model import ArtifactModel
from mesh.serve.version_files import VersionFiles

WEIGHTS = f"{COMPILED}/model.onnx.data"
REPORT = "validation/report.json"
INPUTS = "test_files/inputs.json"


@pytest.fixture
def version(tmp_path: Path) -> Path:
    directory = tmp_path / "TINY-COMPILED-1"
    for name in (WEIGHTS, REPORT, INPUTS):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(b"published" * 100)
    ModelCard(project="tiny", model_type="compiled", code_revision="a", fingerprint="f").write(
        directory
    )
    Manifest.of(directory).write(directory)
    return directory


def overwrite(path: Path, content: bytes, *, keep_time: bool = False) -> None:
    """Write in place: another process has the file mapped."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(content)
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def swap(path: Path, content: bytes) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(content)
    other.replace(path)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    f"{CARD_FILE} has": lambda folder: swap(folder / CARD_FILE, b"{}"),
    f"{INPUTS} has other content": lambda folder: overwrite(folder / INPUTS, b"x"),
    f"{REPORT} is missing": lambda folder: (folder / REPORT).unlink(),
    f"{WEIGHTS} has other content": lambda folder: overwrite(
        folder / WEIGHTS, b"x", keep_time=True
    ),
    f"{WEIGHTS} has 10 bytes instead of": lambda folder: os.truncate(folder / WEIGHTS, 10),
    f"{WEIGHTS} has 9 bytes instead of": lambda folder: swap(folder / WEIGHTS, b"published"),
    "manifest.json": lambda folder: overwrite(folder / "manifest.json", b"-"),
}
EXTRA: dict[str, Callable[[Path], Any]] = {
    "extra.py is not in the manifest": lambda folder: (folder / "extra.py").touch(),
    f"{COMPILED}/x is a link": lambda folder: (folder / COMPILED / "x").symlink_to("/etc/passwd"),
    "v1 is a link": lambda folder: (folder / "v1").symlink_to(folder / "validation"),
}


@pytest.mark.parametrize(("problem", "spoil"), [*DAMAGE.items(), *EXTRA.items()])
def test_damaged_version_is_refused(
    version: Path, problem: str, spoil: Callable[[Path], Any]
) -> None:
    VersionFiles(version)
    spoil(version)
    with pytest.raises(MeshError) as refused:
        VersionFiles(version)
    assert problem in str(refused.value)


@pytest.mark.parametrize("folder", ["v1/test_results", "v1/.test_results.x7.partial"])
def test_results_of_load_tests_are_no_damage(version: Path, folder: str) -> None:
    (version / folder).mkdir(parents=True)
    (version / folder / "load_test_report.json").touch()
    VersionFiles(version)


@pytest.mark.parametrize(("problem", "spoil"), DAMAGE.items())
def test_change_of_a_served_file_is_noticed(
    version: Path, problem: str, spoil: Callable[[Path], Any]
) -> None:
    files = VersionFiles(version)
    assert files.damage() == []
    spoil(version)
    assert problem in "; ".join(files.damage())


def test_files_that_fit_a_new_manifest_are_damaged_too(version: Path) -> None:
    files = VersionFiles(version)
    overwrite(version / WEIGHTS, b"x")
    Manifest.of(version).write(version)
    assert [problem.partition(" ")[0] for problem in files.damage()] == [WEIGHTS, "manifest.json"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / WEIGHTS),
        lambda folder: (folder / WEIGHTS).chmod(0o600),
        lambda folder: swap(folder / WEIGHTS, (folder / WEIGHTS).read_bytes()),
        lambda folder: (folder / "new").touch(),
    ],
)
def test_same_content_is_no_damage(version: Path, change: Callable[[Path], Any]) -> None:
    files = VersionFiles(version)
    change(version)
    (version / "new").unlink(missing_ok=True)
    assert files.damage() == []


def test_unchanged_files_are_not_read_again(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = VersionFiles(version)
    os.utime(version / WEIGHTS)
    assert files.damage() == []
    monkeypatch.setattr(Manifest, "problems", lambda *_arguments, **_options: ["read"])
    assert files.damage() == []


class Tiny(ArtifactModel):
    name = "tiny"

    def load_compiled(self, folder: Path) -> None:
        # As `CompiledModel.load` does with a manifest of the folder's own.
        self.compiled = Manifest.of(folder)

    def warm_up(self) -> None: ...

    def predict_batch(self, requests: Any) -> Any: ...


def test_files_are_read_once_to_load_a_version(
    version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def read_file(path: Path) -> str:
        read.append(path.relative_to(version).as_posix())
        return sha256_file(path)

    monkeypatch.setattr(manifest, "sha256_file", read_file)
    model = Tiny(version)
    model.load()
    assert sorted(read) == sorted([CARD_FILE, INPUTS, REPORT, WEIGHTS])
    assert [entry.path for entry in model.compiled.files] == ["model.onnx.data"]


def watching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "watch"]


def test_model_is_not_ready_any_more(
    version: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(version_files, "WATCH_SECONDS", 0.01)
    others = watching()
    model = Tiny(version)
    model.load()
    [watcher] = [thread for thread in watching() if thread not in others]
    assert model.ready
    shutil.rmtree(version)
    watcher.join(30)
    assert not model.ready
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"The model {version} was changed while it is served: " in record.message
    assert "it isn't ready any more" in record.message


def test_watching_ends_with_the_model(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_files, "WATCH_SECONDS", 0.01)
    others = watching()
    model = Tiny(version)
    model.load()
    [watcher] = [thread for thread in watching() if thread not in others]
    del model
    watcher.join(30)
    assert not watcher.is_alive()
