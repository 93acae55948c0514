"""A connection to MLflow whose first use is safe among processes and whose errors are sentences."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.core.errors import MeshError
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "mesh"
_SQLITE = "sqlite:///"


def connect_client(settings: RegistrySettings) -> tuple["MlflowClient", str]:
    """Connect, making database and experiment if they are missing.

    Returns:
        The client, and the id of the experiment whose runs hold the versions' files.

    Raises:
        MeshError: the registry can't be reached or written.
    """
    _silence()
    from mlflow import MlflowClient

    with mlflow_errors(settings.uri), _first_connection(settings.uri):
        client = MlflowClient(tracking_uri=settings.uri, registry_uri=settings.uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return client, experiment.experiment_id
        location = None if settings.uri.startswith("http") else _artifact_location(settings.artifacts)
        return client, client.create_experiment(EXPERIMENT, artifact_location=location)


@contextlib.contextmanager
def mlflow_errors(uri: str) -> Iterator[None]:
    """Turn errors of MLflow and the database below it into a sentence."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise MeshError(f"The registry {uri} failed: {reason}") from error
    except OSError as error:
        raise MeshError(f"The files of the registry {uri} can't be read or written: {error}") from error


def _silence() -> None:
    """No usage reports, and no chatter about migrations; must run before MLflow is imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextlib.contextmanager
def _first_connection(uri: str) -> Iterator[None]:
    """Let one process at a time connect to an SQLite file: those that find it empty would all try to make the tables."""
    if not uri.startswith(_SQLITE):
        yield
        return
    database = Path(uri.removeprefix(_SQLITE))
    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _artifact_location(artifacts: str) -> str:
    return artifacts if "://" in artifacts else Path(artifacts).resolve().as_uri()
