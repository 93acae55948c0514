"""Several processes at once."""

import contextlib
import json

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

PROCESSES = 4
VERSIONS = 4

# All processes wait for each other, then open and publish.
PUBLISH = """
import json, sys
print("started", flush=True)
sys.stdin.readline()
registry = open_registry(settings)
references = [registry.publish("KEYWORDS-TRAINED", Path({source!r}), card).reference for _ in range({versions})]
print(json.dumps(references))
"""
PREPARE = """
from pathlib import Path
import mlflow, sqlalchemy
from mesh.core.card import ModelCard
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
settings = RegistrySettings()
card = ModelCard(project="keywords", model_type="trained", code_revision="abc", fingerprint="same")
"""


def run_together(start, code: str, **options) -> list[str]:
    processes = [start(code, opening=PREPARE, **options) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdout.readline() == "started\n", process.communicate()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, results
    return [output for output, _ in results]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_publishers_of_an_absent_registry_get_distinct_contiguous_numbers(start, source, tmp_path):
    settings = RegistrySettings(
        uri=f"sqlite:///{tmp_path}/new/registry.db", artifacts=str(tmp_path / "new/artifacts")
    )
    code = PUBLISH.format(source=str(source), versions=VERSIONS)
    outputs = run_together(start, code, settings=settings)
    references = [reference for output in outputs for reference in json.loads(output)]
    assert sorted(references, key=lambda reference: int(reference.rpartition("-")[2])) == [
        f"KEYWORDS-TRAINED-{number + 1}" for number in range(PROCESSES * VERSIONS)
    ]
    registry = open_registry(settings)
    assert [version.version for version in registry.list("KEYWORDS-TRAINED")] == list(
        range(1, PROCESSES * VERSIONS + 1)
    )
    assert registry.verify("KEYWORDS-TRAINED:latest") == []


FETCH = """
import sys
registry = open_registry(settings)
print("started", flush=True)
sys.stdin.readline()
registry.fetch("KEYWORDS-TRAINED-1", Path({target!r}))
"""


def test_fetchers_into_one_directory_agree(start, registry, source, card, tmp_path):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    target = tmp_path / "models" / "KEYWORDS-TRAINED-1"
    run_together(start, FETCH.format(target=str(target)))
    assert Manifest.of(target) == published.manifest
    assert list(target.parent.iterdir()) == [target]


ATTACH = """
import os, sys
registry = open_registry(settings)
print("started", flush=True)
sys.stdin.readline()
file = Path({folder!r}) / str(os.getpid())
file.write_text(str(os.getpid()))
for number in range(3):
    registry.attach("KEYWORDS-TRAINED-1", f"own/{{os.getpid()}}/{{number}}.json", file)
    registry.attach("KEYWORDS-TRAINED-1", "shared.json", file)
"""


def test_no_attachment_is_lost(start, registry, source, card, tmp_path):
    registry.publish("KEYWORDS-TRAINED", source, card)
    run_together(start, ATTACH.format(folder=str(tmp_path)))
    attachments = registry.get("KEYWORDS-TRAINED-1").attachments
    assert len(attachments) == PROCESSES * 3 + 1
    assert registry.verify("KEYWORDS-TRAINED-1") == []


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("refusals", "attached"), [(2, True), (3, False)])
def test_tag_refused_by_the_database_is_set_again(
    registry_settings, source, card, tmp_path, monkeypatch, refusals, attached
):
    registry = open_registry(registry_settings)
    registry.publish("KEYWORDS-TRAINED", source, card)
    file = tmp_path / "report.json"
    file.write_text("{}")
    set_tag = MlflowClient.set_model_version_tag
    refused: list[object] = []

    def refuse_at_first(*args):
        if len(refused) < refusals:
            refused.append(args)
            raise MlflowException("UNIQUE constraint failed", error_code=BAD_REQUEST)
        set_tag(*args)

    monkeypatch.setattr(MlflowClient, "set_model_version_tag", refuse_at_first)
    with contextlib.nullcontext() if attached else pytest.raises(MeshError, match="UNIQUE"):
        registry.attach("KEYWORDS-TRAINED-1", "report.json", file)
    assert ("report.json" in registry.get("KEYWORDS-TRAINED-1").attachments) is attached
