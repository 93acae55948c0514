"""A registry of each backend, and what to publish in it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.card import ModelCard
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite registry without versions, made once because that takes seconds."""
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    open_registry(
        RegistrySettings(uri=f"sqlite:///{path}", artifacts=str(path.parent / "artifacts"))
    )
    return path


@pytest.fixture(params=["mlflow"])
def registry_settings(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> RegistrySettings:
    """Settings of a registry without versions, of each backend in turn."""
    store = tmp_path / "store"
    store.mkdir()
    shutil.copyfile(empty_database, store / "registry.db")
    return RegistrySettings(
        backend=request.param,
        uri=f"sqlite:///{store}/registry.db",
        artifacts=str(store / "artifacts"),
    )


@pytest.fixture
def registry(registry_settings: RegistrySettings) -> ModelRegistry:
    return open_registry(registry_settings)


@pytest.fixture
def card() -> ModelCard:
    return make_card()


@pytest.fixture
def make_card_with() -> Callable[[str], ModelCard]:
    return make_card


def make_card(fingerprint: str = "f" * 64) -> ModelCard:
    return ModelCard(
        project="keywords",
        model_type="trained",
        description="Schlüsselwörter, 关键词",
        settings={"task": "sentence-embedding", "nested": {"top_n": 5, "ratio": 0.1, "none": None}},
        code_revision="abc",
        fingerprint=fingerprint,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory to publish: a large file, nested ones, an empty one, names that need care."""
    directory = tmp_path / "source"
    files = {
        "model_artifacts/model.bin": bytes(range(256)) * 12_000,
        "model_artifacts/config.json": b"{}",
        "model_artifacts/empty": b"",
        "model_artifacts-2/b.txt": b"b",
        "test_files/inputs.json": b'["text"]',
        "notes/d\xc3\xa9j\xc3\xa0 vu [1].txt".encode("latin-1").decode(): b"notes",
    }
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory
