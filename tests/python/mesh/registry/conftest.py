"""A registry of each backend, and files and cards to publish."""

import functools
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from mlflow import MlflowClient
from pydantic import SecretStr

from mesh.core.card import ModelCard
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from services import s3 as s3_service
from services.files import Folder, Several, Storage
from services.neptune_server.running import run_neptune
from services.neptune_server.server import NeptuneServer
from services.postgres import run_postgres
from services.registry_server import RegistryServer

_ASKED_FOR = os.environ.get("MESH_TEST_REGISTRIES", "").split(",")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite registry without versions, made once because that takes seconds."""
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    open_registry(
        RegistrySettings(uri=f"sqlite:///{path}", artifacts=str(path.parent / "artifacts"))
    )
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with run_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[s3_service.Storage]:
    with s3_service.run_s3() as storage:
        yield storage


@pytest.fixture(scope="session")
def registry_server(
    postgres: str, s3: s3_service.Storage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RegistryServer]:
    """The shared registry: its versions in PostgreSQL, its files on S3."""
    server = RegistryServer(
        database=postgres,
        storage=f"s3://{s3_service.BUCKET}/shared",
        environment={**s3_service.ENVIRONMENT, "MLFLOW_S3_ENDPOINT_URL": s3.endpoint},
        log=tmp_path_factory.mktemp("server") / "log",
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session", autouse=True)
def _neptune_client_is_found() -> None:
    """Pants puts Neptune's client, which no program carries, beside the tests: a folder a wheel."""
    sys.path += map(str, sorted(Path("neptune-client.pex/.deps").absolute().glob("*")))


@pytest.fixture(scope="session", autouse=True)
def _descriptions_are_read_once() -> Iterator[None]:
    """botocore reads its description of S3 for every client, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        read = functools.cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", staticmethod(read))
        yield


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress of interrupted publishes stays out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _no_connections_left() -> Iterator[None]:
    """MLflow keeps its connections, each test has a database, and connections are limited."""
    yield
    for kind in ("model_registry", "tracking"):
        # Some tests don't import it.
        if module := sys.modules.get(f"mlflow.store.{kind}.sqlalchemy_store"):
            for engine in module.SqlAlchemyStore._engine_map.values():
                engine.dispose()


@dataclass(frozen=True)
class Place:
    """An empty registry, and the files behind its back."""

    settings: RegistrySettings
    storage: Storage


# Neptune's client is no longer maintained, and its dependencies warn of that.
_NEPTUNE = [
    pytest.param(name, marks=pytest.mark.filterwarnings("ignore"))
    for name in ("neptune", "neptune-s3")
]


@pytest.fixture(params=["sqlite", "server", "direct", *_NEPTUNE])
def place(request: pytest.FixtureRequest) -> Place:
    """A registry of each kind in turn.

    All tests on all kinds take minutes. So on kinds other than an SQLite file, only modules with
    `ON_EVERY_REGISTRY` run, unless `MESH_TEST_REGISTRIES` names the kind.
    """
    asked_for = request.param in ("sqlite", *_ASKED_FOR)
    if not asked_for and not getattr(request.module, "ON_EVERY_REGISTRY", False):
        pytest.skip(f"runs on this registry with MESH_TEST_REGISTRIES={request.param}")
    place: Place = request.getfixturevalue(f"{request.param.replace('-', '_')}_place")
    return place


@pytest.fixture
def sqlite_place(tmp_path: Path, empty_database: Path) -> Place:
    """The embedded registry: an SQLite file and a folder."""
    store = tmp_path / "store"
    (store / "artifacts").mkdir(parents=True)
    shutil.copyfile(empty_database, store / "registry.db")
    settings = RegistrySettings(
        uri=f"sqlite:///{store}/registry.db", artifacts=str(store / "artifacts")
    )
    return Place(settings, Folder(store / "artifacts"))


@pytest.fixture
def server_place(registry_server: RegistryServer, s3: s3_service.Storage) -> Place:
    """The shared registry, emptied before each test."""
    client = MlflowClient(registry_server.url, registry_server.url)
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    s3.clear()
    return Place(RegistrySettings(uri=registry_server.url), s3)


@pytest.fixture
def direct_place(
    sqlite_place: Place, s3: s3_service.Storage, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """An own database, and files on S3 without a server between."""
    for name, value in s3_service.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3.endpoint)
    # With it, boto3 would move large files.
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    for path in s3.paths():
        s3.remove(path)
    storage = f"s3://{s3_service.BUCKET}/direct"
    return Place(sqlite_place.settings.model_copy(update={"artifacts": storage}), s3)


@pytest.fixture(scope="session")
def neptune_server() -> Iterator[NeptuneServer]:
    with run_neptune() as server:
        yield server


@pytest.fixture
def neptune_place(
    neptune_server: NeptuneServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A stand-in for a Neptune server, through Neptune's own client, over plain HTTP."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    neptune_server.clear()
    token = SecretStr(neptune_server.token)
    settings = RegistrySettings(backend="neptune", uri=neptune_server.uri, token=token)
    yield Place(settings, neptune_server)
    # Failed uploads leave open files, whose warnings must not reach a test that doesn't ignore them.
    gc.collect()


@pytest.fixture
def neptune_s3_place(
    neptune_place: Place, s3: s3_service.Storage, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """The same, with versions' files on S3."""
    for name, value in (s3_service.ENVIRONMENT | {"AWS_ENDPOINT_URL_S3": s3.endpoint}).items():
        monkeypatch.setenv(name, value)
    s3.clear()
    artifacts = f"s3://{s3_service.BUCKET}/neptune/registry"
    settings = neptune_place.settings.model_copy(update={"artifacts": artifacts})
    return Place(settings, Several([neptune_place.storage, s3]))


@pytest.fixture
def registry_settings(place: Place) -> RegistrySettings:
    return place.settings


@pytest.fixture
def storage(place: Place) -> Storage:
    return place.storage


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
    """A directory to publish: a large file, nested ones, an empty one, unusual names."""
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
