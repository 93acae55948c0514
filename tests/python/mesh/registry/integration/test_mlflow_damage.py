"""Damage to MLflow's records, and to the folder of the embedded registry."""

import json
from pathlib import Path

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.registry.factory import open_registry

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
