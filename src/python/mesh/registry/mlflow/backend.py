"""Opens the registry on MLflow, quietly and without endless retries."""

import logging
import os
import warnings

from mesh.registry.base import ModelRegistry
from mesh.registry.runs import Runs
from mesh.registry.settings import RegistrySettings

_DEFAULTS = {
    # With MLflow's own values it takes minutes to find that a server can't be reached.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Otherwise every program that publishes to a server prints links.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def open_backend(settings: RegistrySettings) -> ModelRegistry:
    """Open the registry at the settings' URI.

    Raises:
        UsageError: MLflow doesn't support the URI.
        MeshError: it can't be reached, read or created.
        ModuleNotFoundError: MLflow, SQLAlchemy or Alembic is not installed.
    """
    _prepare()
    from mesh.registry.mlflow.registry import MlflowRegistry
    from mesh.registry.mlflow.store import connect

    return MlflowRegistry(connect(settings))


def upgrade_backend(settings: RegistrySettings, *, without_copy: bool) -> str:
    """Give the registry's database the schema of this MLflow; return a sentence about it.

    Raises:
        UsageError: the database isn't this program's to change, or a copy is missing.
        MeshError: it is in use, was made by a newer MLflow, or the upgraded one isn't intact.
        ModuleNotFoundError: MLflow, SQLAlchemy or Alembic is not installed.
    """
    _prepare()
    from mesh.registry.mlflow.upgrade import upgrade

    return upgrade(settings, without_copy=without_copy)


def open_runs(settings: RegistrySettings) -> Runs:
    """Open the runs at the settings' URI; its errors are those of `open_backend`."""
    _prepare()
    from mesh.registry.mlflow.runs import MlflowRuns
    from mesh.registry.mlflow.store import connect

    return MlflowRuns(connect(settings))


def _prepare() -> None:
    """Before MLflow is imported, switch off progress bars and chatter.

    Its warnings go to our logs.
    """
    for variable, value in _DEFAULTS.items():
        os.environ.setdefault(variable, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").addFilter(_without_traceback)
    # It is about MLflow's use of SQLAlchemy 2.1, which our users can't change.
    warnings.filterwarnings(
        "ignore", "The ``noload`` loader strategy is deprecated", DeprecationWarning
    )


def _without_traceback(record: logging.LogRecord) -> bool:
    """Drop MLflow's log entries of database errors, which it raises as well."""
    return not record.exc_info
