"""The shared registry when many use it, and when it is slow, fails, or dies."""

import json
import sys
import threading

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry

PUBLISHERS = 8

PUBLISH = """
import os
publisher = {number}
print("started", flush=True)
sys.stdin.readline()
references = [registry.publish("KEYWORDS-TRAINED", Path({source!r}), card).reference for _ in range(2)]
import json
print(json.dumps(references))
"""


@pytest.fixture
def place(server_place):
    return server_place


@pytest.fixture(autouse=True)
def _reliable_again(s3):
    yield
    s3.faults.delay = 0.0
    s3.faults.refusals = 0


def test_eight_publishers_get_distinct_contiguous_numbers(start, registry, source):
    processes = [start(PUBLISH.format(number=n, source=str(source))) for n in range(PUBLISHERS)]
    for process in processes:
        assert process.stdout.readline() == "started\n", process.communicate()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * PUBLISHERS, results
    published = [reference for output, _ in results for reference in json.loads(output)]
    numbers = list(range(1, 2 * PUBLISHERS + 1))
    assert sorted(published) == sorted(f"KEYWORDS-TRAINED-{number}" for number in numbers)
    assert [version.version for version in registry.list("KEYWORDS-TRAINED")] == numbers
    assert registry.verify("KEYWORDS-TRAINED:latest") == []


def test_server_that_restarts_while_a_version_is_published(
    registry, registry_server, source, card, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")
    upload = sys.modules["mesh.registry.mlflow.files"].upload
    restarted = threading.Lock()

    def restart_then_upload(target, file, path):
        if path == "model_card.json" and restarted.acquire(blocking=False):
            registry_server.stop()
            registry_server.start()
        return upload(target, file, path)

    monkeypatch.setattr("mesh.registry.mlflow.files.upload", restart_then_upload)
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def test_server_that_dies_while_a_version_is_published(
    registry, registry_server, source, card, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    upload = sys.modules["mesh.registry.mlflow.files"].upload

    def die_then_upload(target, file, path):
        registry_server.stop()
        return upload(target, file, path)

    try:
        with monkeypatch.context() as dying:
            dying.setattr("mesh.registry.mlflow.files.upload", die_then_upload)
            with pytest.raises(MeshError, match=f"The registry {registry_server.url} failed: "):
                registry.publish("KEYWORDS-TRAINED", source, card)
        with pytest.raises(MeshError, match=f"The registry {registry_server.url} failed: "):
            registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    finally:
        registry_server.start()
    assert registry.list() == []
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1


def test_slow_storage(registry, s3, source, card, tmp_path):
    s3.faults.delay = 0.3
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch(published.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest


def test_storage_that_fails_at_times(registry, s3, source, card):
    s3.faults.refusals = 3
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert s3.faults.refusals == 0
    assert registry.verify(published.reference) == []


def test_storage_that_fails_for_good(registry, s3, source, card, monkeypatch, registry_settings):
    s3.faults.refusals = 10_000
    with monkeypatch.context() as impatient:
        impatient.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(MeshError, match=f"The registry {registry_settings.uri} failed: "):
            registry.publish("KEYWORDS-TRAINED", source, card)
    s3.faults.refusals = 0
    assert registry.list() == []
    assert open_registry(registry_settings).publish("KEYWORDS-TRAINED", source, card).version == 1
