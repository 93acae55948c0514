"""Processes killed with SIGKILL while they publish, fetch or attach."""

import contextlib
import time
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry

PUBLISH = "registry.publish('KEYWORDS-TRAINED', Path({source!r}), card)"
STORE = "mesh.registry.mlflow.files:store_file"
COPY = "mesh.registry.mlflow.files:copy_file"

# It stops when two blocks are written.
STOP_WITHIN_A_FILE = """
import mesh.registry.local_files as local_files
local_files._BLOCK = 1_000_000
class Pool(local_files.ThreadPoolExecutor):
    blocks = 0
    def submit(self, *arguments):
        self.blocks += 1
        if self.blocks == 3:
            stop()
        return super().submit(*arguments)
local_files.ThreadPoolExecutor = Pool
"""

# The version is written, but not committed.
STOP_BEFORE_COMMIT = """
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
create = SqlAlchemyStore.create_model_version
def create_model_version(*arguments, **options):
    stop_at("sqlalchemy.orm:Session.commit")
    return create(*arguments, **options)
SqlAlchemyStore.create_model_version = create_model_version
"""

PUBLISH_STOPS = {
    "before the run": "stop_at('mlflow:MlflowClient.create_run')",
    "before the first file": f"stop_at('{STORE}')",
    "within a file": STOP_WITHIN_A_FILE,
    "between files": f"stop_at('{STORE}', 3)",
    "before the manifest": f"stop_at('{STORE}', 8)",
    "before the run ends": "stop_at('mlflow:MlflowClient.set_terminated')",
    "before the model": "stop_at('mlflow:MlflowClient.create_registered_model')",
    "before the version": "stop_at('mlflow:MlflowClient.create_model_version')",
    "before the commit": STOP_BEFORE_COMMIT,
}


@pytest.fixture
def place(sqlite_place):
    """Only the embedded registry: these tests are specific to it."""
    return sqlite_place


@pytest.mark.parametrize("stop", PUBLISH_STOPS.values(), ids=PUBLISH_STOPS.keys())
def test_killed_publish_leaves_nothing_that_looks_like_a_version(
    kill_stopped, registry_settings, source, card, tmp_path, stop
):
    kill_stopped(f"{stop}\n{PUBLISH.format(source=str(source))}")
    registry = open_registry(registry_settings)
    assert registry.list() == []
    assert registry.find("KEYWORDS-TRAINED", "killed") is None
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert published.version == 1
    assert registry.list() == [published]
    assert registry.verify(published.reference) == []
    registry.fetch(published.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest


def test_what_a_killed_publish_left_is_found_and_removed(
    kill_stopped, registry, registry_settings, source, card
):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    files = set(Path(registry_settings.artifacts).rglob("*"))
    kill_stopped(
        f"stop_at('mlflow:MlflowClient.create_model_version')\n{PUBLISH.format(source=str(source))}"
    )
    assert set(Path(registry_settings.artifacts).rglob("*")) > files
    assert registry.leftovers("NER-TRAINED") == []
    (left,) = registry.leftovers("KEYWORDS-TRAINED")
    assert left.name.endswith(" of KEYWORDS-TRAINED")
    assert left.size > published.manifest.size
    assert not left.in_use
    assert registry.leftovers(delete=True) == [left]
    assert registry.leftovers() == []
    remaining = {path for path in Path(registry_settings.artifacts).rglob("*") if path.is_file()}
    assert remaining == {path for path in files if path.is_file()}
    assert registry.verify(published.reference) == []


def test_files_of_a_publish_under_way_are_kept(registry, source, card, monkeypatch):
    original = type(registry.store.client).create_model_version
    found = []

    def create(*arguments, **options):
        found.extend(registry.leftovers(delete=True))
        return original(*arguments, **options)

    monkeypatch.setattr(type(registry.store.client), "create_model_version", create)
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert [left.in_use for left in found] == [True]
    assert registry.verify(published.reference) == []


@pytest.mark.parametrize(("days", "in_use"), [(6, True), (8, False)])
def test_where_publishers_are_not_known_runs_are_kept_for_a_week(
    registry, monkeypatch, days, in_use
):
    run_id, _ = registry.store.start_run("KEYWORDS-TRAINED")
    monkeypatch.setattr(type(registry.store), "alone", lambda _: contextlib.nullcontext())
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + days * 24 * 3600)
    (left,) = registry.leftovers(delete=True)
    assert run_id in left.name
    assert left.in_use is in_use
    assert len(registry.leftovers()) == in_use


def test_failed_publish_removes_its_files(registry, registry_settings, source, card, monkeypatch):
    monkeypatch.setattr(type(registry.store.client), "create_model_version", fail)
    with pytest.raises(ZeroDivisionError):
        registry.publish("KEYWORDS-TRAINED", source, card)
    assert [path for path in Path(registry_settings.artifacts).rglob("*") if path.is_file()] == []
    assert (
        registry.store.client.search_runs(
            [registry.store.client.get_experiment_by_name("mesh").experiment_id]
        )
        == []
    )


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def interrupt_after_creation(registry, monkeypatch):
    """As a signal, or a lost response: the publisher does not learn that the version exists."""
    original = type(registry.store.client).create_model_version

    def create(*arguments, **options):
        original(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(registry.store.client), "create_model_version", create)


def test_publish_interrupted_after_its_version_is_visible_keeps_the_files(
    registry, source, card, tmp_path, monkeypatch
):
    interrupt_after_creation(registry, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        registry.publish("KEYWORDS-TRAINED", source, card)
    (version,) = registry.list("KEYWORDS-TRAINED")
    assert registry.verify(version.reference) == []
    registry.fetch(version.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == version.manifest


def test_publish_that_cannot_ask_for_its_version_keeps_the_files(
    registry, source, card, monkeypatch, caplog
):
    interrupt_after_creation(registry, monkeypatch)
    with monkeypatch.context() as unreachable:
        unreachable.setattr(type(registry.store.client), "search_model_versions", refuse)
        with pytest.raises(KeyboardInterrupt):
            registry.publish("KEYWORDS-TRAINED", source, card)
    assert "were kept, though perhaps no version uses them: no connection" in caplog.text
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def refuse(*_: object, **__: object) -> None:
    raise ConnectionError("no connection")


FETCH_STOPS = {
    "before the first file": f"stop_at('{COPY}')",
    "within a file": STOP_WITHIN_A_FILE,
    "between files": f"stop_at('{COPY}', 3)",
    "before the check": "stop_at('mesh.core.manifest:Manifest.differences')",
    "before the manifest": "stop_at('mesh.core.manifest:Manifest.write')",
    "before the rename": "stop_at('pathlib:Path.rename')",
}


@pytest.mark.parametrize("stop", FETCH_STOPS.values(), ids=FETCH_STOPS.keys())
def test_killed_fetch_leaves_nothing_that_looks_like_a_model(
    kill_stopped, registry, source, card, tmp_path, stop
):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    target = tmp_path / "models" / "KEYWORDS-TRAINED-1"
    kill_stopped(f"{stop}\nregistry.fetch('KEYWORDS-TRAINED-1', Path({str(target)!r}))")
    assert not target.exists()
    assert all(path.name.startswith(".") for path in target.parent.iterdir())
    registry.fetch("KEYWORDS-TRAINED-1", target)
    assert Manifest.of(target) == published.manifest
    assert list(target.parent.iterdir()) == [target]


def test_killed_repair_leaves_the_old_copy_or_none(kill_stopped, registry, source, card, tmp_path):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    target = tmp_path / "models" / "KEYWORDS-TRAINED-1"
    registry.fetch("KEYWORDS-TRAINED-1", target)
    (target / "test_files/inputs.json").unlink()
    for call in (1, 2, 3):
        kill_stopped(
            f"stop_at('pathlib:Path.rename', {call})\nregistry.fetch('KEYWORDS-TRAINED-1', Path({str(target)!r}))"
        )
        assert not (target / "test_files/inputs.json").exists()
        if not target.exists():
            break
    assert call == 3
    registry.fetch("KEYWORDS-TRAINED-1", target)
    assert Manifest.of(target) == published.manifest
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("call", [STORE, "mlflow:MlflowClient.set_model_version_tag"])
def test_killed_attach_leaves_the_previous_one(
    kill_stopped, registry, source, card, tmp_path, call
):
    registry.publish("KEYWORDS-TRAINED", source, card)
    file = tmp_path / "result.json"
    file.write_text("old")
    registry.attach("KEYWORDS-TRAINED-1", "result.json", file)
    file.write_text("new")
    kill_stopped(
        f"stop_at('{call}')\nregistry.attach('KEYWORDS-TRAINED-1', 'result.json', Path({str(file)!r}))"
    )
    assert registry.read_attachment("KEYWORDS-TRAINED-1", "result.json") == b"old"
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    registry.attach("KEYWORDS-TRAINED-1", "result.json", file)
    assert registry.read_attachment("KEYWORDS-TRAINED-1", "result.json") == b"new"


def test_directory_that_changes_while_it_is_published(registry, source, card, monkeypatch):
    original = type(registry.store).start_run

    def change_then_start(store, model):
        (source / "model_artifacts/config.json").write_text('{"changed": true}')
        return original(store, model)

    monkeypatch.setattr(type(registry.store), "start_run", change_then_start)
    with pytest.raises(MeshError, match="changed while it was being published"):
        registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
