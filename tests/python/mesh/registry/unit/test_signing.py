import datetime
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from mesh.core.card import ModelCard
from mesh.core.errors import UsageError
from mesh.core.manifest import FileEntry, Manifest
from mesh.core.settings import load_settings
from mesh.registry.base import ModelVersion
from mesh.registry.settings import RegistrySettings
from mesh.registry.signing import SIGNATURE_FILE, generate_keys, trust_problems
from mesh.registry.transfer import prepare

NAME = "KEYWORDS-TRAINED"
PRIVATE, PUBLIC = generate_keys()
CONTENT = (
    FileEntry(path="weights", size=3, sha256="a" * 64),
    FileEntry(path="model_artifacts/config.json", size=2, sha256="b" * 64),
)


def make_version(directory: Path, key: str = PRIVATE, name: str = NAME) -> ModelVersion:
    card = ModelCard(project="keywords", model_type="trained", code_revision="a", fingerprint="f")
    manifest = prepare(name, CONTENT, card, directory, SecretStr(key))
    return as_version(manifest, card)


def as_version(manifest: Manifest, card: ModelCard, name: str = NAME) -> ModelVersion:
    return ModelVersion(
        name=name,
        version=1,
        card=card,
        manifest=manifest,
        created=datetime.datetime.now(datetime.UTC),
        aliases=(),
        attachments={},
    )


def test_signed_version_is_trusted(tmp_path: Path) -> None:
    version = make_version(tmp_path)
    other = generate_keys()[1]
    assert trust_problems(version, tmp_path, [PUBLIC]) == []
    assert trust_problems(version, tmp_path, [other, PUBLIC]) == []
    assert sorted(entry.path for entry in version.manifest.files) == [
        "model_artifacts/config.json",
        "model_card.json",
        SIGNATURE_FILE,
        "weights",
    ]


def test_unsigned_version_is_trusted_only_where_no_keys_are_named(tmp_path: Path) -> None:
    version = make_version(tmp_path, key="")
    assert not (tmp_path / SIGNATURE_FILE).exists()
    assert trust_problems(version, tmp_path, []) == []
    (problem,) = trust_problems(version, tmp_path, [PUBLIC])
    assert problem.startswith("it is not signed")


def test_key_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    private, public = generate_keys()
    (problem,) = trust_problems(make_version(tmp_path, key=private), tmp_path, [PUBLIC])
    assert public in problem


@pytest.mark.parametrize("field", ["path", "size", "sha256"])
def test_changed_files_break_the_signature(tmp_path: Path, field: str) -> None:
    version = make_version(tmp_path)
    changes = {"path": "weight", "size": 4, "sha256": "c" * 64}
    for changed in version.manifest.files:
        if changed.path == SIGNATURE_FILE:
            continue
        files = tuple(
            entry.model_copy(update={field: changes[field]}) if entry == changed else entry
            for entry in version.manifest.files
        )
        forged = as_version(Manifest(files=files), version.card)
        (problem,) = trust_problems(forged, tmp_path, [PUBLIC])
        assert problem == "its signature is not one of this model's name and these files"


def test_added_and_removed_files_break_the_signature(tmp_path: Path) -> None:
    version = make_version(tmp_path)
    files = version.manifest.files
    extra = FileEntry(path="extra", size=1, sha256="d" * 64)
    fewer = tuple(entry for entry in files if entry.path != "weights")
    for forged in ((*files, extra), fewer):
        assert trust_problems(
            as_version(Manifest(files=forged), version.card), tmp_path, [PUBLIC]
        ) == ["its signature is not one of this model's name and these files"]


def test_another_models_name_breaks_the_signature(tmp_path: Path) -> None:
    version = make_version(tmp_path)
    moved = as_version(version.manifest, version.card, name="NER-TRAINED")
    assert len(trust_problems(moved, tmp_path, [PUBLIC])) == 1


def test_every_bit_of_the_signature_counts(tmp_path: Path) -> None:
    version = make_version(tmp_path)
    file = tmp_path / SIGNATURE_FILE
    written = file.read_bytes()
    for position in range(len(written)):
        changed = bytearray(written)
        changed[position] ^= 1
        if is_same(bytes(changed), written):
            continue
        file.write_bytes(changed)
        assert trust_problems(version, tmp_path, [PUBLIC]) != [], changed


def is_same(changed: bytes, written: bytes) -> bool:
    """Whether both mean the same, whatever the white space between the parts."""
    try:
        return bool(json.loads(changed) == json.loads(written))
    except ValueError:
        return False


def test_keys_are_checked_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_REGISTRY_SIGNING_KEY", "no-key")
    with pytest.raises(UsageError, match="MESH_REGISTRY_SIGNING_KEY: .*keygen") as caught:
        load_settings([RegistrySettings])
    assert "no-key" not in str(caught.value)
    monkeypatch.setenv("MESH_REGISTRY_SIGNING_KEY", PRIVATE)
    monkeypatch.setenv("MESH_REGISTRY_TRUSTED_KEYS", f"{PUBLIC},{PUBLIC[:-4]}")
    with pytest.raises(UsageError, match="MESH_REGISTRY_TRUSTED_KEYS=.*32 bytes"):
        load_settings([RegistrySettings])
    monkeypatch.setenv("MESH_REGISTRY_TRUSTED_KEYS", f"{PUBLIC}, {PUBLIC}")
    (settings,) = load_settings([RegistrySettings])
    assert settings.trusted == (PUBLIC, PUBLIC)
    assert PRIVATE not in f"{settings!r} {settings.model_dump_json()}"
