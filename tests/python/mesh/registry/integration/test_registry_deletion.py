"""Deleting and pruning versions, in every registry."""

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.prune import unneeded

ON_EVERY_REGISTRY = True

TRAINED = "KEYWORDS-TRAINED"
COMPILED = "KEYWORDS-COMPILED"


@pytest.fixture
def publish(registry, source, make_card_with):
    """Publish a trained version, or one compiled from another."""

    def publish_version(trained=None):
        card = make_card_with("f")
        if trained is None:
            return registry.publish(TRAINED, source, card).reference
        compiled = card.model_copy(update={"model_type": "compiled", "trained_version": trained})
        return registry.publish(COMPILED, source, compiled).reference

    return publish_version


def references(versions):
    return [version.reference for version in versions]


def test_deleting_removes_a_version_with_its_files(registry, storage, publish, source, tmp_path):
    publish()
    others = set(storage.paths())
    deleted = publish()
    registry.attach(deleted, "a.json", source / "test_files/inputs.json")
    registry.delete(deleted)
    assert set(storage.paths()) == others
    assert references(registry.list()) == [f"{TRAINED}-1"]
    assert registry.find(TRAINED, "f").version == 1
    for action in (
        lambda: registry.get(deleted),
        lambda: registry.fetch(deleted, tmp_path / "fetched"),
        lambda: registry.alias(deleted, "prod"),
        lambda: registry.delete(deleted),
    ):
        with pytest.raises(MeshError, match=f"There is no {deleted}"):
            action()
    assert registry.verify(f"{TRAINED}-1") == []


def test_numbers_are_not_given_again(registry, publish):
    for number in (1, 2, 3):
        assert publish() == f"{TRAINED}-{number}"
        registry.delete(f"{TRAINED}-{number}")
    assert registry.list() == []


def test_versions_with_aliases_are_not_deleted(registry, publish, tmp_path):
    publish()
    registry.alias(f"{TRAINED}-1", "prod")
    registry.alias(f"{TRAINED}-1", "dev")
    with pytest.raises(MeshError, match="can't be deleted: dev and prod would point at nothing"):
        registry.delete(f"{TRAINED}:prod")
    assert registry.verify(f"{TRAINED}-1") == []


def test_identical_files_of_another_version_stay(registry, publish, tmp_path):
    publish()
    publish()
    registry.delete(f"{TRAINED}-1")
    kept = registry.fetch(f"{TRAINED}-2", tmp_path / "fetched")
    assert registry.verify(f"{TRAINED}-2") == []
    assert Manifest.of(tmp_path / "fetched") == kept.manifest


def test_pruning_spares_needed_versions(registry, publish):
    for _ in range(6):
        publish()
    # Compiled from the trained versions 1, 2, 1, 3.
    for trained in (1, 2, 1, 3):
        publish(f"{TRAINED}-{trained}")
    for number in (1, 3):
        registry.alias(f"{COMPILED}-{number}", "prod")
    versions, reasons = unneeded(registry, registry.survey(), keep=1)
    assert reasons == {
        f"{COMPILED}-1": ["prod can be rolled back to it"],
        f"{COMPILED}-3": ["prod points at it"],
        f"{COMPILED}-4": ["one of the newest 1"],
        f"{TRAINED}-1": [f"{COMPILED}-{number} was compiled from it" for number in (1, 3)],
        f"{TRAINED}-3": [f"{COMPILED}-4 was compiled from it"],
        f"{TRAINED}-6": ["one of the newest 1"],
    }
    # Compiled versions go before the trained ones.
    doomed = [f"{TRAINED}-{number}" for number in (2, 4, 5)]
    assert references(versions) == [f"{COMPILED}-2", *doomed]
    # If only trained versions are pruned, those of all compiled ones stay.
    assert references(unneeded(registry, registry.survey(), 1, TRAINED)[0]) == [
        f"{TRAINED}-4",
        f"{TRAINED}-5",
    ]
    assert references(unneeded(registry, registry.survey(), 3, COMPILED)[0]) == []
    assert references(unneeded(registry, registry.survey(), 100)[0]) == []
    with pytest.raises(MeshError, match="No version of NER-TRAINED"):
        unneeded(registry, registry.survey(), 1, "NER-TRAINED")
