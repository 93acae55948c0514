"""Damage to MLflow's records, and to the folder of the embedded registry."""

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
