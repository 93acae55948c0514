"""Connects to MLflow: an SQLite file that needs no service, a server, or PostgreSQL."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from mesh.core.errors import MeshError, UsageError
from mesh.core.urls import mask_url
from mesh.registry.local_files import make_folder, sync_folder
from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.settings import SQLITE, RegistrySettings

EXPERIMENT = "mesh"
MODEL_TAG = "mesh.model"
"""Tag of a run: the model whose version it carries."""

_SERVERS = ("http://", "https://")
_POSTGRESQL = ("postgresql://", "postgresql+")
LOCK_SECONDS = 20.0

Item = TypeVar("Item")


@dataclass(frozen=True)
class Store:
    """A connected MLflow.

    Args:
        uri: its URI, with the full path of an SQLite file.
        artifacts: where new files go: a folder, a URI, or none where the server decides.
    """

    settings: RegistrySettings
    client: MlflowClient
    uri: str = field(repr=False)
    artifacts: Path | str | None

    def start_run(self, model: str) -> tuple[str, str]:
        """Start the run that carries a new version's files; return its id and its files' URI."""
        run = self.client.create_run(
            self.experiment(), tags={MODEL_TAG: model}, run_name=f"publish {model}"
        )
        return run.info.run_id, run.info.artifact_uri

    def repository(self, run_id: str, uri: str, folder: str) -> ArtifactRepository:
        """A folder of a run's files, given the files' URI.

        A local store is looked up in the settings, so it can be moved and mounted elsewhere.
        """
        root = (
            (self.artifacts / run_id / "artifacts").as_uri()
            if isinstance(self.artifacts, Path)
            else uri
        )
        return get_artifact_repository(f"{root}/{folder}", self.uri, self.uri)

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Show that a publish is under way, until this ends or the process is killed."""
        if self._lock is None:
            yield
            return
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool | None]:
        """Keep publishes waiting; tells whether none is under way, or nothing if that isn't known."""
        if self._lock is None:
            yield None
            return
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(self._lock.open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except OSError:
                # It is locked, or may not be written.
                alone = False
            yield alone

    def experiment(self, name: str = EXPERIMENT) -> str:
        """The id of an experiment, by default that of all publishes, made if it is missing."""
        if found := self.client.get_experiment_by_name(name):
            return str(found.experiment_id)
        location = self.artifacts.as_uri() if isinstance(self.artifacts, Path) else self.artifacts
        try:
            return self.client.create_experiment(name, location)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self.experiment(name)

    @property
    def _lock(self) -> Path | None:
        """The file that publishers lock; None unless the database is a file of this machine."""
        if not self.uri.startswith(SQLITE):
            return None
        return _lock_file(Path(self.uri.removeprefix(SQLITE)))


def connect(settings: RegistrySettings) -> Store:
    """Connect to the settings' URI, creating an SQLite file that does not exist.

    Raises:
        UsageError: MLflow doesn't support the URI.
        MeshError: it can't be reached, read or created.
    """
    uri = settings.uri
    artifacts = None if uri.startswith(_SERVERS) else _artifacts(settings.artifacts)
    with registry_errors(settings):
        if uri.startswith(SQLITE):
            database = _database_path(uri)
            uri = SQLITE + str(database)
            artifacts = artifacts or database.parent / "artifacts"
            _ensure_database(database)
        elif not uri.startswith((*_SERVERS, *_POSTGRESQL)):
            raise UsageError(
                f"MESH_REGISTRY_URI={mask_url(uri)!r} is not understood: "
                "use sqlite:///FILE, http(s)://HOST or postgresql://HOST/DATABASE."
            )
        elif uri.startswith(_POSTGRESQL) and artifacts is None:
            raise UsageError(
                "MESH_REGISTRY_ARTIFACTS is required with PostgreSQL: a folder that all users see, or "
                "a URI of object storage."
            )
        _check_endpoint(artifacts)
        return Store(settings, MlflowClient(uri, uri), uri, artifacts)


def all_pages(search: Callable[..., Iterable[Item]], *arguments: Any) -> Iterator[Item]:
    """Everything that a search of MLflow's client finds, page after page."""
    token = None
    while True:
        page: Any = search(*arguments, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _check_endpoint(artifacts: Path | str | None) -> None:
    """Refuse an endpoint of S3 that boto3 wouldn't accept."""
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL", "")
    at_s3 = isinstance(artifacts, str) and artifacts.startswith("s3://")
    if at_s3 and endpoint and not endpoint.startswith(_SERVERS):
        raise UsageError(f"MLFLOW_S3_ENDPOINT_URL={endpoint!r} isn't a URL: use https://HOST:PORT.")


def _artifacts(setting: str) -> Path | str | None:
    if not setting:
        return None
    return setting if "://" in setting else Path(setting).absolute()


def _database_path(uri: str) -> Path:
    name = uri.removeprefix(SQLITE)
    if not name or name.startswith(":"):
        raise UsageError(f"MESH_REGISTRY_URI={uri!r} names no file: use sqlite:///FILE.")
    path = Path(name).absolute()
    if {"?", "%"} & set(str(path)):
        raise UsageError(
            f"MESH_REGISTRY_URI={uri!r}: the path {path} of an SQLite file can't have '?' or '%'."
        )
    return path


def _ensure_database(path: Path) -> None:
    """Make a missing database: one process at a time, completely or not at all."""
    if not _is_empty(path):
        return
    try:
        make_folder(path.parent, durable=True)
        with _lock_file(path).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_empty(path):
                _create_database(path)
    except OSError as error:
        raise MeshError(
            f"The registry's folder {path.parent} can't be written: {error.strerror}."
        ) from error


def _lock_file(database: Path) -> Path:
    return Path(f"{database}.lock")


def _is_empty(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return True
    # MLflow would try for minutes to open a file that isn't a database.
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=LOCK_SECONDS)) as connection:
            return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])
    except sqlite3.Error as error:
        raise MeshError(f"The registry's database {path} can't be read: {error}.") from error


def _create_database(path: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = Path(f"{path}.partial")
    for stale in (partial, Path(f"{partial}-journal")):
        stale.unlink(missing_ok=True)
    store = SqlAlchemyStore(SQLITE + str(partial), (path.parent / "artifacts").as_uri())  # type: ignore[no-untyped-call]
    store.engine.dispose()
    partial.replace(path)
    sync_folder(path.parent)
