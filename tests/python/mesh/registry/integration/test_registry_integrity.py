"""Every registry finds damage to stored files, names it, and never returns it."""

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest

REFERENCE = "KEYWORDS-TRAINED-1"
MODEL = "model_artifacts/model.bin"


@pytest.fixture
def published(registry, source, card):
    return registry.publish("KEYWORDS-TRAINED", source, card)


def stored(storage, path: str) -> str:
    """The stored path of a version's file; Neptune keeps some without their suffix."""
    endings = (path, path.removesuffix(".json"))
    (found,) = (place for place in storage.paths() if place.endswith(endings))
    return str(found)


def flip_bit(storage, path: str) -> None:
    place = stored(storage, path)
    data = bytearray(storage.read(place))
    data[len(data) // 2] ^= 1
    storage.write(place, bytes(data))


DAMAGES = {
    f"{MODEL} has other content": lambda storage: flip_bit(storage, MODEL),
    f"{MODEL} has 7 bytes instead of": lambda storage: storage.write(
        stored(storage, MODEL), b"7 bytes"
    ),
    "model_artifacts/empty is missing": lambda storage: storage.remove(
        stored(storage, "model_artifacts/empty")
    ),
    "test_files/inputs.json is missing": lambda storage: storage.remove(
        stored(storage, "test_files/inputs.json")
    ),
    "model_card.json has other content": lambda storage: flip_bit(storage, "model_card.json"),
}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(("problem", "damage"), DAMAGES.items(), ids=DAMAGES.keys())
def test_damage_is_found_and_not_handed_out(registry, storage, tmp_path, problem, damage):
    damage(storage)
    (found,) = registry.verify(REFERENCE)
    assert problem in found
    target = tmp_path / "models" / REFERENCE
    with pytest.raises(MeshError) as caught:
        registry.fetch(REFERENCE, target)
    assert problem in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_each_stored_byte_counts(registry, storage, published):
    for entry in published.manifest.files:
        if entry.size:
            flip_bit(storage, entry.path)
            assert registry.verify(REFERENCE) == [
                f"{entry.path} has other content than was published (its sha256 differs)"
            ]
            flip_bit(storage, entry.path)
    assert registry.verify(REFERENCE) == []


def test_all_files_missing(registry, storage, published, tmp_path):
    for path in storage.paths():
        storage.remove(path)
    missing = {problem.removesuffix(" is missing") for problem in registry.verify(REFERENCE)}
    assert missing == {entry.path for entry in published.manifest.files} | {"manifest.json"}
    with pytest.raises(MeshError, match="missing"):
        registry.fetch(REFERENCE, tmp_path / "models" / REFERENCE)


def test_extra_files_are_found_and_not_fetched(registry, storage, published, tmp_path):
    storage.write(stored(storage, MODEL).replace(MODEL, "model_artifacts/extra.bin"), b"x")
    assert registry.verify(REFERENCE) == ["model_artifacts/extra.bin is not in the manifest"]
    registry.fetch(REFERENCE, tmp_path / REFERENCE)
    assert Manifest.of(tmp_path / REFERENCE) == published.manifest


def test_card_and_manifest_do_not_come_from_the_files(registry, storage, published, card, tmp_path):
    storage.write(stored(storage, "manifest.json"), b'{"files": []}')
    (problem,) = registry.verify(REFERENCE)
    assert problem.startswith("manifest.json has 13 bytes instead of ")
    fetched = registry.fetch(REFERENCE, tmp_path / REFERENCE)
    assert fetched.card == card
    assert Manifest.read(tmp_path / REFERENCE) == published.manifest


def test_damaged_attachments(registry, storage, published, tmp_path):
    files = set(storage.paths())
    file = tmp_path / "result.json"
    for path in ("a.json", "b.json"):
        file.write_text(f"result {path}")
        registry.attach(REFERENCE, path, file)
    for place in set(storage.paths()) - files:
        if storage.read(place) == b"result a.json":
            storage.write(place, b"result A.json")
        else:
            storage.remove(place)
    assert registry.verify(REFERENCE) == [
        "attachment a.json has other content than was published (its sha256 differs)",
        "attachment b.json is missing",
    ]
    with pytest.raises(MeshError, match=r"a\.json of KEYWORDS-TRAINED-1 is damaged"):
        registry.read_attachment(REFERENCE, "a.json")
    with pytest.raises(MeshError, match="missing"):
        registry.read_attachment(REFERENCE, "b.json")


def test_a_damaged_version_does_not_hide_others(
    registry, storage, published, source, card, tmp_path
):
    for path in storage.paths():
        storage.remove(path)
    registry.publish("KEYWORDS-TRAINED", source, card)
    assert [version.version for version in registry.list("KEYWORDS-TRAINED")] == [1, 2]
    assert registry.verify("KEYWORDS-TRAINED-2") == []
    registry.fetch("KEYWORDS-TRAINED-2", tmp_path / "fetched")


def test_nothing_that_is_done_to_a_version_changes_its_files(
    registry, storage, published, source, tmp_path
):
    before = {path: storage.read(path) for path in storage.paths()}
    (tmp_path / "other").write_text("other")
    registry.attach(REFERENCE, MODEL, tmp_path / "other")
    registry.attach(REFERENCE, f"version/{MODEL}", tmp_path / "other")
    registry.alias(REFERENCE, "prod")
    registry.fetch(REFERENCE, tmp_path / "fetched")
    (tmp_path / "fetched" / MODEL).write_text("other")
    after = {path: storage.read(path) for path in storage.paths()}
    assert {path: after[path] for path in before} == before
    assert registry.verify(REFERENCE) == []
