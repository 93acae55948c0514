"""Neptune's layout, token, uploads in parts, and servers that refuse, die, or are gone."""

import hashlib

import pytest
from pydantic import SecretStr

from mesh.core.errors import MeshError, UsageError
from mesh.registry.factory import open_registry
from mesh.registry.reference import ModelReference

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def place(neptune_place):
    return neptune_place


@pytest.fixture
def _impatient(monkeypatch):
    """Lost connections are not retried."""
    monkeypatch.setattr("neptune.common.backends.utils.retries_timeout", 0.01)


def test_layout(registry, neptune_server, source, card, tmp_path):
    registry.publish("KEYWORDS-TRAINED", source, card)
    registry.attach(
        "KEYWORDS-TRAINED-1", "test_results/v1/report.json", source / "test_files/inputs.json"
    )
    fields = {path.removeprefix("KEYWORDS-TRAINED-1:") for path in neptune_server.paths()}
    assert {
        "model/model_card",
        "model/model_artifacts/model.bin",
        "model/test_files/inputs",
        "model/test_results/v1/report.json",
    } < fields


def test_large_files_are_uploaded_in_parts(registry, neptune_server, source, card):
    neptune_server.requests.clear()
    registry.publish("KEYWORDS-TRAINED", source, card)
    assert neptune_server.requests.count("fileAtomMultipartUploadPart") == 4
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def test_wrong_token(registry_settings, neptune_server, monkeypatch):
    with monkeypatch.context() as other:
        other.setattr(neptune_server, "secret", "another")
        token = SecretStr(neptune_server.token)
    settings = registry_settings.model_copy(update={"token": token})
    with pytest.raises(MeshError, match="refuses the token MESH_REGISTRY_TOKEN") as caught:
        open_registry(settings).list()
    assert settings.token.get_secret_value() not in str(caught.value)


def test_token_is_required_and_hidden(registry_settings, monkeypatch):
    monkeypatch.delenv("NEPTUNE_API_TOKEN", raising=False)
    token = registry_settings.token.get_secret_value()
    assert token not in f"{registry_settings!r} {registry_settings.model_dump_json()}"
    with pytest.raises(UsageError, match="MESH_REGISTRY_TOKEN"):
        open_registry(registry_settings.model_copy(update={"token": SecretStr("")}))


def test_models_of_unknown_projects(registry, source, card):
    with pytest.raises(MeshError, match="belongs to no project .* KEYWORDS .team/keywords."):
        registry.publish("OTHER-TRAINED", source, card)


@pytest.mark.usefixtures("_impatient")
def test_server_that_fails_half_way(registry, neptune_server, source, card, monkeypatch):
    with monkeypatch.context() as failing:
        failing.setattr(neptune_server, "do_fileAtomMultipartUploadPart", refuse)
        with pytest.raises(MeshError, match="The registry neptune://team/.* failed: "):
            registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
    # The incomplete version keeps its number in Neptune.
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2


def refuse(*arguments):
    raise ConnectionAbortedError


@pytest.mark.usefixtures("_impatient")
def test_server_that_is_gone(registry_settings, neptune_server, monkeypatch):
    monkeypatch.setattr(neptune_server, "url", "http://127.0.0.1:1")
    token = SecretStr(neptune_server.token)
    registry = open_registry(registry_settings.model_copy(update={"token": token}))
    with pytest.raises(MeshError, match="closed in March 2026.*MESH_REGISTRY_BACKEND=mlflow"):
        registry.list()


def test_damaged_records_hide_no_others(registry, source, card):
    for _ in range(3):
        registry.publish("KEYWORDS-TRAINED", source, card)
    for version in (1, 2):
        registry.attach(f"KEYWORDS-TRAINED-{version}", "a.json", source / "test_files/inputs.json")
        registry.alias(f"KEYWORDS-TRAINED-{version}", "prod")
    first, _ = registry.history("KEYWORDS-TRAINED")
    change = registry.client
    with change.version(ModelReference.parse("KEYWORDS-TRAINED-3"), "sync") as stored:
        stored["mesh/record_parts/0000"] = "{"
    with change.version(ModelReference.parse("KEYWORDS-TRAINED-1"), "sync") as stored:
        stored[f"mesh/attachments/{hashlib.sha256(b'a.json').hexdigest()}"] = "{"
    with change.model("KEYWORDS-TRAINED", "sync") as model:
        model[f"mesh/alias_moves/{first.id}"] = "{"
    assert [version.version for version in registry.list()] == [1, 2]
    assert sorted(registry.survey().damaged) == [
        "KEYWORDS-TRAINED",
        "KEYWORDS-TRAINED-1",
        "KEYWORDS-TRAINED-3",
    ]
    assert registry.find("KEYWORDS-TRAINED", card.fingerprint).version == 2
    assert [move.after for move in registry.history("KEYWORDS-TRAINED")] == [2]
    (problem,) = registry.verify("KEYWORDS-TRAINED-1")
    assert "the attachment's record" in problem
    assert registry.verify("KEYWORDS-TRAINED-2") == []


@pytest.mark.parametrize(("kept_seconds", "in_use"), [(3600, True), (-3600, False)])
def test_incomplete_versions_are_found_and_removed(registry, monkeypatch, kept_seconds, in_use):
    registry.client.ensure_model("KEYWORDS-TRAINED")
    registry.client.new_version("KEYWORDS-TRAINED")
    monkeypatch.setattr("mesh.registry.neptune.registry.KEPT_SECONDS", kept_seconds)
    (left,) = registry.leftovers(delete=True)
    assert left.name == "the incomplete version KEYWORDS-TRAINED-1"
    assert left.in_use is in_use
    assert len(registry.leftovers("KEYWORDS-TRAINED")) == in_use
