"""Read-only registries of every kind."""

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry

ON_EVERY_REGISTRY = True

REFERENCE = "KEYWORDS-TRAINED-1"


@pytest.fixture
def reader(registry_settings):
    """The same registry, read-only."""
    return open_registry(registry_settings.model_copy(update={"client_mode": "read-only"}))


@pytest.fixture
def published(registry, source, card):
    version = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.attach(REFERENCE, "a.json", source / "test_files/inputs.json")
    for alias in ("stage", "prod"):
        version = registry.alias(REFERENCE, alias)
    return version


def test_everything_can_be_read(reader, registry, published, source, tmp_path):
    assert reader.get("KEYWORDS-TRAINED:prod") == published
    assert reader.list() == reader.list("KEYWORDS-TRAINED") == [published]
    assert reader.find("KEYWORDS-TRAINED", published.card.fingerprint) == published
    assert reader.history("KEYWORDS-TRAINED") == registry.history("KEYWORDS-TRAINED")
    assert reader.fetch(REFERENCE, tmp_path / "fetched") == published
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert reader.read_attachment(REFERENCE, "a.json") == b'["text"]'
    assert reader.verify(REFERENCE) == []
    assert reader.survey().damaged == {}
    assert reader.leftovers() == registry.leftovers()


def test_nothing_can_be_changed(reader, registry, published, storage, source, card):
    before = {path: storage.read(path) for path in storage.paths()}
    for action in (
        lambda: reader.publish("KEYWORDS-TRAINED", source, card),
        lambda: reader.publish("NER-TRAINED", source, card),
        lambda: reader.alias(REFERENCE, "dev"),
        lambda: reader.rollback("KEYWORDS-TRAINED:prod"),
        lambda: reader.attach(REFERENCE, "b.json", source / "test_files/inputs.json"),
        lambda: reader.delete(REFERENCE),
        lambda: reader.leftovers(delete=True),
    ):
        with pytest.raises(MeshError, match=r"read-only .MESH_REGISTRY_CLIENT_MODE=read-only."):
            action()
    assert {path: storage.read(path) for path in storage.paths()} == before
    assert registry.list() == [published]
