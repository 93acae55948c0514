"""Damage to the files of the embedded registry is found, named, and never handed out."""

import os
import shutil
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.errors import UsageError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry

REFERENCE = "KEYWORDS-TRAINED-1"


@pytest.fixture
def files(registry, registry_settings, source, card) -> Path:
    """The folder where the store keeps the files of a version that was just published."""
    registry.publish("KEYWORDS-TRAINED", source, card)
    (manifest,) = Path(registry_settings.artifacts).rglob("manifest.json")
    return manifest.parent


def flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_model(files: Path) -> None:
    flip_bit(files / "model_artifacts/model.bin")


DAMAGES = {
    "model_artifacts/model.bin has other content": flip_model,
    "model_artifacts/model.bin has 7 bytes instead of": lambda files: os.truncate(
        files / "model_artifacts/model.bin", 7
    ),
    "model_artifacts/empty is missing": lambda files: (files / "model_artifacts/empty").unlink(),
    "test_files/inputs.json is missing": lambda files: shutil.rmtree(files / "test_files"),
    "model_card.json has other content": lambda files: flip_bit(files / "model_card.json"),
}


@pytest.mark.parametrize(("problem", "damage"), DAMAGES.items(), ids=DAMAGES.keys())
def test_damage_is_found_and_not_handed_out(registry, files, tmp_path, problem, damage):
    damage(files)
    (found,) = registry.verify(REFERENCE)
    assert problem in found
    target = tmp_path / "models" / REFERENCE
    with pytest.raises(MeshError) as caught:
        registry.fetch(REFERENCE, target)
    assert problem in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_everything_gone(registry, files, source, tmp_path):
    shutil.rmtree(files)
    missing = {problem.removesuffix(" is missing") for problem in registry.verify(REFERENCE)}
    published = {
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
    }
    assert missing == published | {"model_card.json", "manifest.json"}
    with pytest.raises(MeshError, match="missing"):
        registry.fetch(REFERENCE, tmp_path / "models" / REFERENCE)


def test_extra_files_are_found_and_not_fetched(registry, files, tmp_path):
    (files / "model_artifacts/extra.bin").write_text("x")
    assert registry.verify(REFERENCE) == ["model_artifacts/extra.bin is not in the manifest"]
    fetched = registry.fetch(REFERENCE, tmp_path / REFERENCE)
    assert Manifest.of(tmp_path / REFERENCE) == fetched.manifest


def test_card_and_manifest_do_not_come_from_the_files(registry, files, card, tmp_path):
    (files / "manifest.json").write_text('{"files": []}')
    (problem,) = registry.verify(REFERENCE)
    assert problem.startswith("manifest.json has 13 bytes instead of ")
    fetched = registry.fetch(REFERENCE, tmp_path / REFERENCE)
    assert fetched.card == card
    assert (
        Manifest.read(tmp_path / REFERENCE) == fetched.manifest == registry.get(REFERENCE).manifest
    )


@pytest.mark.usefixtures("files")
def test_damaged_attachments(registry, registry_settings, tmp_path):
    file = tmp_path / "result.json"
    for path in ("a.json", "b.json"):
        file.write_text(f"result {path}")
        registry.attach(REFERENCE, path, file)
    for stored in Path(registry_settings.artifacts).rglob("content"):
        if stored.read_text() == "result a.json":
            flip_bit(stored)
        else:
            stored.unlink()
    assert registry.verify(REFERENCE) == [
        "attachment a.json has other content than was published (its sha256 differs)",
        "attachment b.json is missing",
    ]
    with pytest.raises(MeshError, match=r"a\.json of KEYWORDS-TRAINED-1 is damaged"):
        registry.read_attachment(REFERENCE, "a.json")
    with pytest.raises(MeshError, match="missing"):
        registry.read_attachment(REFERENCE, "b.json")


def test_a_damaged_version_does_not_hide_others(registry, files, source, card, tmp_path):
    registry.publish("KEYWORDS-TRAINED", source, card)
    shutil.rmtree(files)
    assert [version.version for version in registry.list("KEYWORDS-TRAINED")] == [1, 2]
    assert registry.verify("KEYWORDS-TRAINED-2") == []
    registry.fetch("KEYWORDS-TRAINED-2", tmp_path / "fetched")


def test_a_damaged_record_does_not_hide_others_from_find(registry, source, make_card_with):
    registry.publish("KEYWORDS-TRAINED", source, make_card_with("a"))
    found = registry.publish("KEYWORDS-TRAINED", source, make_card_with("b"))
    registry.store.client.set_model_version_tag("KEYWORDS-TRAINED", "1", "mesh.manifest.0000", "{")
    assert registry.find("KEYWORDS-TRAINED", "b") == found


@pytest.mark.parametrize("fingerprint", ["' or 1=1 --", '"', "\\", "a;b", "%", "_", "ä", ""])
def test_fingerprints_are_no_part_of_the_query(registry, source, make_card_with, fingerprint):
    registry.publish("KEYWORDS-TRAINED", source, make_card_with("a"))
    assert registry.find("KEYWORDS-TRAINED", fingerprint) is None
    found = registry.publish("KEYWORDS-TRAINED", source, make_card_with(fingerprint))
    assert registry.find("KEYWORDS-TRAINED", fingerprint) == found


def test_fingerprint_with_both_quotes_is_refused(registry):
    with pytest.raises(UsageError, match="is not a fingerprint"):
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
