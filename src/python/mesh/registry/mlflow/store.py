"""Connects to MLflow: an SQLite file that needs no service, a server, or PostgreSQL."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from mesh.core.errors import UsageError
from mesh.core.urls import mask_url
from mesh.registry.mlflow import sqlite_file
from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.mlflow.schema import check_schema
from mesh.registry.settings import POSTGRESQL, SQLITE, RegistrySettings

EXPERIMENT = "mesh"
MODEL_TAG = "mesh.model"
"""Tag of a run: the model whose version it carries."""

_SERVERS = ("http://", "https://")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Store:
    """A connected MLflow.

    Args:
        uri: its URI as MLflow reads it.
        artifacts: where new files go: a folder, a URI, or none where the server decides.
        database: the SQLite file, if it is one.
    """

    settings: RegistrySettings
    client: MlflowClient
    uri: str = field(repr=False)
    artifacts: Path | str | None
    database: Path | None

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

    def publishing(self) -> contextlib.AbstractContextManager[None]:
        """Show that a publish is under way, until this ends or the process is killed."""
        return sqlite_file.publishing(self.database) if self.database else contextlib.nullcontext()

    def alone(self) -> contextlib.AbstractContextManager[bool | None]:
        """Keep publishes waiting; tells whether none is under way, or nothing if that isn't known."""
        return sqlite_file.alone(self.database) if self.database else contextlib.nullcontext()

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


def connect(settings: RegistrySettings) -> Store:
    """Connect to the settings' URI, creating an SQLite file that does not exist.

    Raises:
        UsageError: MLflow doesn't support the URI.
        MeshError: it can't be reached, read or created.
    """
    uri, database = settings.uri, None
    artifacts = None if uri.startswith(_SERVERS) else _artifacts(settings.storage)
    with registry_errors(settings):
        if uri.startswith(SQLITE):
            database = sqlite_file.database_path(uri)
            uri = sqlite_file.sqlite_url(database)
            sqlite_file.ensure_database(database)
        elif not uri.startswith((*_SERVERS, *POSTGRESQL)):
            raise UsageError(
                f"MESH_REGISTRY_URI={mask_url(uri)!r} is not understood: "
                "use sqlite:///FILE, http(s)://HOST or postgresql://HOST/DATABASE."
            )
        elif uri.startswith(POSTGRESQL) and artifacts is None:
            raise UsageError(
                "MESH_REGISTRY_ARTIFACTS is required with PostgreSQL: a folder that all users see, or "
                "a URI of object storage."
            )
        _check_endpoint(artifacts)
        if not uri.startswith(_SERVERS):
            check_schema(uri, mask_url(settings.uri))
        return Store(settings, MlflowClient(uri, uri), uri, artifacts, database)


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


def _artifacts(storage: str) -> Path | str | None:
    if not storage:
        return None
    return storage if "://" in storage else Path(storage).absolute()
