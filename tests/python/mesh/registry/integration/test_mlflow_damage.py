"""Damage to MLflow's records, and to the folder of the embedded registry."""

import contextlib
import errno
import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from mesh.core.errors import MeshError, UsageError
from mesh.registry import local_files
from mesh.registry.factory import open_registry
from mesh.registry.prune import unneeded

REFERENCE = "KEYWORDS-TRAINED-1"


@pytest.fixture
def place(sqlite_place):
    """Only the embedded registry: these tests are specific to it."""
    return sqlite_place


@pytest.fixture
def files(registry, registry_settings, source, card) -> Path:
    """The folder with the stored files of a version that was just published."""
    registry.publish("KEYWORDS-TRAINED", source, card)
    (manifest,) = Path(registry_settings.artifacts).rglob("manifest.json")
    return manifest.parent


def test_a_damaged_record_does_not_hide_others_from_find(registry, source, make_card_with):
    registry.publish("KEYWORDS-TRAINED", source, make_card_with("a"))
    found = registry.publish("KEYWORDS-TRAINED", source, make_card_with("b"))
    registry.store.client.set_model_version_tag("KEYWORDS-TRAINED", "1", "mesh.manifest.0000", "{")
    assert registry.find("KEYWORDS-TRAINED", "b") == found


def test_a_changed_record_is_found(registry, source, make_card_with):
    card = make_card_with("a")
    registry.publish("KEYWORDS-TRAINED", source, card)
    changed = card.model_copy(update={"code_revision": "another"}).model_dump_json()
    set_tag = registry.store.client.set_model_version_tag
    set_tag("KEYWORDS-TRAINED", "1", "mesh.card.0000", changed)
    set_tag("KEYWORDS-TRAINED", "1", "mesh.fingerprint", "b")
    assert registry.verify(REFERENCE) == [
        "the registry's record of the card is not the card that was published",
        "the registry finds it by another fingerprint than the card's",
    ]


@pytest.mark.parametrize("fingerprint", ["' or 1=1 --", '"', "\\", "a;b", "%", "_", "ä", ""])
def test_fingerprints_cannot_change_the_query(registry, source, make_card_with, fingerprint):
    registry.publish("KEYWORDS-TRAINED", source, make_card_with("a"))
    assert registry.find("KEYWORDS-TRAINED", fingerprint) is None
    found = registry.publish("KEYWORDS-TRAINED", source, make_card_with(fingerprint))
    assert registry.find("KEYWORDS-TRAINED", fingerprint) == found


def test_fingerprint_with_both_quotes_is_refused(registry):
    with pytest.raises(UsageError, match="isn't a fingerprint"):
        registry.find("KEYWORDS-TRAINED", "'\"")


def test_stored_files_that_are_links_are_not_followed_out(registry, files, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (files / "model_artifacts/config.json").unlink()
    (files / "model_artifacts/config.json").symlink_to(tmp_path / "secret")
    with pytest.raises(MeshError):
        registry.fetch(REFERENCE, tmp_path / "models" / REFERENCE)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.usefixtures("files")
def test_a_store_can_be_moved(registry_settings, source, tmp_path):
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    moved = registry_settings.model_copy(
        update={
            "uri": f"sqlite:///{tmp_path}/elsewhere/registry.db",
            "artifacts": str(tmp_path / "elsewhere/artifacts"),
        }
    )
    registry = open_registry(moved)
    assert registry.verify(REFERENCE) == []
    registry.attach(REFERENCE, "a.json", source / "test_files/inputs.json")
    assert registry.read_attachment(REFERENCE, "a.json") == b'["text"]'
    assert not (tmp_path / "store").exists()


def test_moves_of_older_meshes_come_first_by_their_times(registry, source, card):
    for _ in range(3):
        registry.publish("KEYWORDS-TRAINED", source, card)
    client = registry.store.client
    for minute, before, after in ((5, 1, 2), (4, None, 1)):
        moved = {"alias": "prod", "before": before, "after": after, "who": "ann", "undo": False}
        record = json.dumps(moved | {"when": f"2026-01-01T00:{minute:02}:00Z"})
        client.set_registered_model_tag("KEYWORDS-TRAINED", f"mesh.alias_move.{minute}", record)
    client.set_registered_model_alias("KEYWORDS-TRAINED", "prod", "2")
    registry.alias("KEYWORDS-TRAINED-3", "prod")
    moves = registry.history("KEYWORDS-TRAINED")
    assert [move.after for move in moves] == [1, 2, 3]
    assert moves[2].previous == moves[1].id
    assert registry.rollback("KEYWORDS-TRAINED:prod").version == 2
    assert registry.rollback("KEYWORDS-TRAINED:prod").version == 1


def fill_disk(monkeypatch, folder):
    """Writing below a folder fails as on a full disk."""
    write = local_files._write

    def write_or_fail(writer, block):
        if Path(writer.name).is_relative_to(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(writer, block)

    monkeypatch.setattr(local_files, "_write", write_or_fail)


def test_a_full_disk_of_models_is_not_the_registry(registry, source, card, tmp_path, monkeypatch):
    registry.publish("KEYWORDS-TRAINED", source, card)
    fill_disk(monkeypatch, tmp_path / "models")
    with pytest.raises(MeshError) as caught:
        registry.fetch(REFERENCE, tmp_path / "models" / REFERENCE)
    assert str(caught.value) == (
        f"{tmp_path}/models/{REFERENCE} can't be written: No space left on device."
    )
    assert list((tmp_path / "models").iterdir()) == []


def test_a_full_disk_of_the_registry_is_named(
    registry, registry_settings, source, card, monkeypatch
):
    fill_disk(monkeypatch, Path(registry_settings.artifacts))
    expected = f"The registry {registry_settings.uri} failed: {registry_settings.artifacts}/.* can't be written: No"
    with pytest.raises(MeshError, match=expected):
        registry.publish("KEYWORDS-TRAINED", source, card)


@pytest.mark.parametrize(
    ("pragma", "sentence"),
    [
        ("query_only = on", r"its database can't be written: it is read-only; see .* folder\.$"),
        ("max_page_count = 1", r"the disk of its database is full; make room there\.$"),
    ],
)
def test_databases_that_cannot_be_written(
    registry, registry_settings, source, card, pragma, sentence
):
    registry.publish("KEYWORDS-TRAINED", source, card)
    engine = sys.modules[
        "mlflow.store.model_registry.sqlalchemy_store"
    ].SqlAlchemyStore._engine_map[registry_settings.uri]
    event.listen(engine, "engine_connect", lambda found: found.exec_driver_sql(f"PRAGMA {pragma}"))
    large = "x" * 5000
    with pytest.raises(MeshError, match=f"registry {registry_settings.uri} failed: {sentence}"):
        registry.publish("KEYWORDS-TRAINED", source, card.model_copy(update={"description": large}))


def test_a_locked_database(registry, registry_settings, source, card, monkeypatch):
    registry.publish("KEYWORDS-TRAINED", source, card)
    engine = sys.modules[
        "mlflow.store.model_registry.sqlalchemy_store"
    ].SqlAlchemyStore._engine_map[registry_settings.uri]

    def impatient(_connection, _cursor, statement, parameters, _context, _many):
        return statement.replace("busy_timeout = 20000", "busy_timeout = 1"), parameters

    event.listen(engine, "before_cursor_execute", impatient, retval=True)
    database = registry_settings.uri.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(MeshError, match="failed: its database is locked: another program"):
            registry.alias(REFERENCE, "prod")


def set_tag(registry, version, key, value):
    registry.store.client.set_model_version_tag("KEYWORDS-TRAINED", str(version), key, value)


@pytest.fixture
def three(registry, source, card):
    for _ in range(3):
        registry.publish("KEYWORDS-TRAINED", source, card)
    return registry


def numbers(versions):
    return [version.version for version in versions]


@pytest.mark.parametrize("tag", ["mesh.manifest.0000", "mesh.card.0000", "mesh.format"])
def test_a_damaged_version_hides_no_others(three, tag):
    set_tag(three, 2, tag, "{")
    assert numbers(three.list()) == numbers(three.list("KEYWORDS-TRAINED")) == [1, 3]
    ((reference, problem),) = three.survey().damaged.items()
    assert reference == "KEYWORDS-TRAINED-2"
    assert "KEYWORDS-TRAINED-2" in problem
    doomed, _ = unneeded(three, three.survey(), 1)
    assert numbers(doomed) == [1]


def test_find_passes_over_a_damaged_version(three, card):
    set_tag(three, 3, "mesh.manifest.0000", "{")
    assert three.find("KEYWORDS-TRAINED", card.fingerprint).version == 2


def test_an_alias_of_a_damaged_version_can_still_be_rolled_back(three):
    for version in (1, 2):
        three.alias(f"KEYWORDS-TRAINED-{version}", "prod")
    set_tag(three, 2, "mesh.card.0000", "{")
    doomed, reasons = unneeded(three, three.survey(), 1)
    assert doomed == []
    assert reasons[REFERENCE] == ["prod can be rolled back to it"]
    assert three.rollback("KEYWORDS-TRAINED:prod").version == 1


def test_a_damaged_compiled_version_keeps_the_trained_ones(three, source, card):
    compiled = card.model_copy(update={"model_type": "compiled", "trained_version": REFERENCE})
    three.publish("KEYWORDS-COMPILED", source, compiled)
    client = three.store.client
    client.set_model_version_tag("KEYWORDS-COMPILED", "1", "mesh.card.0000", "{")
    doomed, _ = unneeded(three, three.survey(), 1)
    assert doomed == []


def test_a_damaged_move_hides_no_others(three):
    for version in (1, 2, 3):
        three.alias(f"KEYWORDS-TRAINED-{version}", "prod")
    first, second, _ = three.history("KEYWORDS-TRAINED")
    key = f"mesh.alias_move.{second.id}"
    three.store.client.set_registered_model_tag("KEYWORDS-TRAINED", key, "{")
    assert [move.after for move in three.history("KEYWORDS-TRAINED")] == [1, 3]
    assert second.id in three.survey("KEYWORDS-TRAINED").damaged["KEYWORDS-TRAINED"]
    assert first.id not in three.survey().damaged["KEYWORDS-TRAINED"]
    assert numbers(three.list()) == [1, 2, 3]
    assert three.rollback("KEYWORDS-TRAINED:prod").version == 2


@pytest.mark.parametrize("value", ["{", "of another path", "outside"])
def test_a_damaged_attachment_is_a_problem_of_its_version(three, source, value):
    for path in ("a.json", "b.json"):
        three.attach(REFERENCE, path, source / "test_files/inputs.json")
    tags = three.store.client.get_model_version("KEYWORDS-TRAINED", "1").tags
    (one, first), (_, second) = sorted(
        (key, text) for key, text in tags.items() if key.startswith("mesh.attachment.")
    )
    stored = json.loads(first)
    left = json.loads(second)["file"]["path"]
    outside = json.dumps(stored | {"folder": "attachments/../../secret"})
    set_tag(three, 1, one, {"of another path": second, "outside": outside}.get(value, value))
    (version,) = (version for version in three.list() if version.version == 1)
    assert list(version.attachments) == [left]
    assert one in three.survey().damaged[REFERENCE]
    problems = three.verify(REFERENCE)
    assert any(one in problem for problem in problems)
    assert three.verify("KEYWORDS-TRAINED-2") == []


@pytest.mark.parametrize("target", ["outside", "nowhere", "inside"])
def test_stored_links_are_problems_of_their_version(registry, files, tmp_path, target):
    (tmp_path / "outside").write_text("secret")
    path = files / "model_artifacts/config.json"
    path.unlink()
    path.symlink_to(files / "manifest.json" if target == "inside" else tmp_path / target)
    assert registry.verify(REFERENCE) == ["model_artifacts/config.json is a link or a special file"]
