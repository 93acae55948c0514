"""Versions copied from the embedded registry to a shared one, and back."""

import json

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.provenance import copy_version, record_lineage

TRAINED = "KEYWORDS-TRAINED"
COMPILED = "KEYWORDS-COMPILED"


@pytest.fixture
def local(sqlite_place):
    return open_registry(sqlite_place.settings)


@pytest.fixture
def shared(server_place):
    return open_registry(server_place.settings)


@pytest.fixture
def compiled(local, source, make_card_with):
    """The second compiled version, from the second trained one, with an alias and an attachment."""
    for number in (1, 2):
        (source / "weights").write_text(str(number))
        trained = local.publish(TRAINED, source, make_card_with(f"trained {number}"))
        (source / "weights").write_text(f"{number} compiled")
        card = make_card_with(f"compiled {number}").model_copy(
            update={"model_type": "compiled", "trained_version": trained.reference}
        )
        version = local.publish(COMPILED, source, card)
        record_lineage(local, version)
    local.attach(version.reference, "test_results/latest/report.json", source / "weights")
    return local.alias(version.reference, "prod")


def content(version):
    return [entry for entry in version.manifest.files if entry.path != "model_card.json"]


def test_a_copy_has_the_files_lineage_attachments_and_aliases(local, shared, compiled, tmp_path):
    copy = copy_version(local, shared, f"{COMPILED}:prod")
    assert copy.reference == f"{COMPILED}-1"
    assert content(copy) == content(compiled)
    assert copy.card == compiled.card.model_copy(update={"trained_version": f"{TRAINED}-1"})
    assert copy.aliases == ("prod",)
    assert (
        shared.read_attachment(copy.reference, "test_results/latest/report.json") == b"2 compiled"
    )
    origin = json.loads(shared.read_attachment(copy.reference, "origin.json"))
    assert origin == {"reference": f"{COMPILED}-2", "digest": compiled.manifest.digest}
    trained = shared.get(f"{TRAINED}-1")
    assert content(trained) == content(local.get(f"{TRAINED}-2"))
    assert [path for path in trained.attachments if "compiled" in path] == [
        f"compiled_model_versions/{COMPILED}-1.json"
    ]
    assert [shared.verify(version.reference) for version in shared.list()] == [[], []]
    shared.fetch(copy.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == copy.manifest


def test_copying_again_and_back_makes_no_other_version(local, shared, compiled):
    first = copy_version(local, shared, compiled.reference)
    assert copy_version(local, shared, compiled.reference) == first
    assert len(shared.list()) == 2
    assert copy_version(shared, local, first.reference).reference == compiled.reference
    assert len(local.list()) == 4


def test_an_interrupted_copy_is_completed_by_the_next(local, shared, compiled, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(type(shared), "attach", interrupt)
        with pytest.raises(KeyboardInterrupt):
            copy_version(local, shared, f"{COMPILED}:prod")
    assert copy_version(local, shared, f"{COMPILED}:prod").aliases == ("prod",)
    assert [version.reference for version in shared.list()] == [f"{COMPILED}-1", f"{TRAINED}-1"]


def test_only_the_alias_that_is_named_moves(local, shared, compiled, source, make_card_with):
    """Another registry's `prod` isn't moved by a copy of a version that is `prod` here."""
    local.alias(compiled.reference, "candidate")
    assert copy_version(local, shared, compiled.reference).aliases == ()
    (source / "weights").write_text("newer")
    newer = shared.publish(COMPILED, source, make_card_with("newer"))
    shared.alias(newer.reference, "prod")
    assert copy_version(local, shared, f"{COMPILED}:candidate").aliases == ("candidate",)
    assert shared.get(f"{COMPILED}:prod") == shared.get(newer.reference)


def test_a_damaged_version_is_not_copied(local, sqlite_place, shared, compiled):
    for path in sqlite_place.storage.paths():
        if sqlite_place.storage.read(path) == b"2 compiled":
            sqlite_place.storage.write(path, b"2 changed.")
    with pytest.raises(MeshError, match="KEYWORDS-COMPILED-2 is damaged in the registry: weights"):
        copy_version(local, shared, compiled.reference)
    assert [version.name for version in shared.list()] == [TRAINED]
