"""Processes that use a registry, and are killed while they do."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping

import pytest

from mesh.registry.settings import RegistrySettings
from services.prepared_process import Process, prepare

Start = Callable[..., Process]

# Importing these takes most of the time of a process that opens a registry.
IMPORTED = (
    "mesh.registry.mlflow.backend",
    "mlflow.store.artifact.mlflow_artifacts_repo",
    "mlflow.store.artifact.s3_artifact_repo",
    "mlflow.store.model_registry.rest_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.tracking.sqlalchemy_store",
)

# Stops at one call of a function, says so, and waits to be killed.
STOP_AT = """
import functools, importlib, sys

def stop_at(place, call=1):
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    original = getattr(owner, name)
    calls = 0

    def stopping(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            stop()
        return original(*args, **kwargs)

    setattr(owner, name, stopping)

def stop():
    print("stopped", flush=True)
    sys.stdin.read()
"""

OPEN = """
from pathlib import Path
from mesh.core.card import ModelCard
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

registry = open_registry(RegistrySettings())
card = ModelCard(project="keywords", model_type="trained", code_revision="abc", fingerprint="killed")
"""


def variables(settings: RegistrySettings) -> dict[str, str]:
    """Settings as a process reads them, including secrets."""
    values = settings.model_dump()
    for name in ("token", "signing_key"):
        values[name] = values[name].get_secret_value()
    return {f"MESH_REGISTRY_{name.upper()}": value for name, value in values.items()}


@pytest.fixture(scope="session")
def prepared() -> Iterator[Callable[[str, Mapping[str, str]], Process]]:
    with prepare(*IMPORTED) as start_process:
        yield start_process


@pytest.fixture
def start(
    registry_settings: RegistrySettings, prepared: Callable[[str, Mapping[str, str]], Process]
) -> Iterator[Start]:
    """Start Python code in a process with a registry's settings, a `registry` and a `card`."""
    processes = []

    def start_process(
        code: str, *, settings: RegistrySettings = registry_settings, opening: str = OPEN
    ) -> Process:
        process = prepared(STOP_AT + opening + code, {**os.environ, **variables(settings)})
        processes.append(process)
        return process

    yield start_process
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def kill_stopped(start: Start) -> Callable[..., None]:
    """Run code until it stops itself, then kill it with SIGKILL."""

    def kill(code: str, **options: str) -> None:
        process = start(code, **options)
        line = process.stdout.readline()
        assert line == "stopped\n", process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    return kill
