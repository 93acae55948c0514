"""Signed versions, in every registry: fetching trusts some publishers only."""

import json
import shutil

import pytest
from mlflow import MlflowClient
from pydantic import SecretStr

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.factory import open_registry
from mesh.registry.mlflow.records import version_tags
from mesh.registry.provenance import copy_version
from mesh.registry.signing import generate_keys

ON_EVERY_REGISTRY = True

REFERENCE = "KEYWORDS-TRAINED-1"
MODEL = "model_artifacts/model.bin"
PRIVATE, PUBLIC = generate_keys()


@pytest.fixture
def publisher(registry_settings):
    """A registry that signs, and checks no signatures."""
    return open_registry(registry_settings.model_copy(update={"signing_key": SecretStr(PRIVATE)}))


@pytest.fixture
def consumer(registry_settings):
    """A registry that trusts the publisher's key."""
    return open_registry(registry_settings.model_copy(update={"trusted_keys": PUBLIC}))


def test_signed_versions_are_fetched(publisher, consumer, registry, source, card, tmp_path):
    published = publisher.publish("KEYWORDS-TRAINED", source, card)
    for reader in (consumer, registry):
        reader.fetch(REFERENCE, tmp_path / "fetched")
        assert Manifest.of(tmp_path / "fetched") == published.manifest
        assert reader.verify(REFERENCE) == []


def test_unsigned_versions_are_refused(registry, consumer, source, card, tmp_path):
    registry.publish("KEYWORDS-TRAINED", source, card)
    (problem,) = consumer.verify(REFERENCE)
    assert problem.startswith("it is not signed")
    with pytest.raises(MeshError, match=f"{REFERENCE} is not trusted: it is not signed"):
        consumer.fetch(REFERENCE, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    registry.fetch(REFERENCE, tmp_path / "fetched")
    with pytest.raises(MeshError, match="is not trusted"):
        consumer.fetch(REFERENCE, tmp_path / "fetched")


def test_versions_of_others_are_refused(registry_settings, publisher, source, card, tmp_path):
    publisher.publish("KEYWORDS-TRAINED", source, card)
    stranger = generate_keys()[1]
    reader = open_registry(registry_settings.model_copy(update={"trusted_keys": stranger}))
    assert len(reader.verify(REFERENCE)) == 1
    with pytest.raises(MeshError, match="is not trusted: it is signed with the key"):
        reader.fetch(REFERENCE, tmp_path / "fetched")


def test_a_fetched_version_is_signed_anew(publisher, registry, consumer, source, card, tmp_path):
    publisher.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch(REFERENCE, tmp_path / "fetched")
    unsigned = registry.publish("KEYWORDS-TRAINED", tmp_path / "fetched", card)
    assert "signature.json" not in {entry.path for entry in unsigned.manifest.files}
    other = card.model_copy(update={"description": "another"})
    signed = publisher.publish("KEYWORDS-TRAINED", tmp_path / "fetched", other)
    assert len(consumer.verify(unsigned.reference)) == 1
    assert consumer.verify(signed.reference) == []


def test_flipped_bit_of_the_signature(publisher, consumer, storage, source, card, tmp_path):
    publisher.publish("KEYWORDS-TRAINED", source, card)
    (place,) = (path for path in storage.paths() if path.endswith("signature.json"))
    data = bytearray(storage.read(place))
    data[-10] ^= 1
    storage.write(place, bytes(data))
    (problem,) = consumer.verify(REFERENCE)
    assert problem.startswith("signature.json has other content than was published")
    with pytest.raises(MeshError, match=r"is damaged in the registry: signature\.json"):
        consumer.fetch(REFERENCE, tmp_path / "fetched")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_write_access_to_database_and_files_without_a_key(
    publisher, registry, registry_settings, consumer, storage, source, card, tmp_path
):
    version = publisher.publish("KEYWORDS-TRAINED", source, card)
    (place,) = (path for path in storage.paths() if path.endswith(MODEL))
    storage.write(place, b"another model")
    (tmp_path / "model").write_bytes(b"another model")
    files = {entry.path: entry for entry in version.manifest.files}
    files[MODEL] = FileEntry.of(tmp_path / "model", MODEL)
    forged = Manifest(files=tuple(files.values()))
    client = MlflowClient(registry_settings.uri, registry_settings.uri)
    for key, value in version_tags(card, forged).items():
        client.set_model_version_tag(version.name, "1", key, value)
    registry.fetch(REFERENCE, tmp_path / "believed")
    assert (tmp_path / "believed" / MODEL).read_bytes() == b"another model"
    with pytest.raises(MeshError, match="is not trusted: its signature is not one of"):
        consumer.fetch(REFERENCE, tmp_path / "fetched")
    problems = consumer.verify(REFERENCE)
    assert any(problem.startswith("its signature is not one of") for problem in problems)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_copies_are_signed_by_their_maker(
    publisher, consumer, registry_settings, empty_database, source, card, tmp_path
):
    publisher.publish("KEYWORDS-TRAINED", source, card)
    shutil.copyfile(empty_database, tmp_path / "other.db")
    private, public = generate_keys()
    other = registry_settings.model_copy(
        update={
            "uri": f"sqlite:///{tmp_path}/other.db",
            "artifacts": str(tmp_path / "other"),
            "signing_key": SecretStr(private),
            "trusted_keys": public,
        }
    )
    target = open_registry(other)
    copy = copy_version(consumer, target, REFERENCE)
    assert target.verify(copy.reference) == []
    target.fetch(copy.reference, tmp_path / "fetched")
    assert json.loads((tmp_path / "fetched/signature.json").read_text())["key"] == public
    assert copy_version(consumer, target, REFERENCE) == copy
