"""Opening the registry on MLflow, quietly and without endless attempts."""

import logging
import os
import warnings

from mesh.registry.base import ModelRegistry
from mesh.registry.settings import RegistrySettings

_DEFAULTS = {
    # With MLflow's own numbers it takes minutes to say that a server can't be reached.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Lines for people in the output of every program that publishes to a server.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def open_backend(settings: RegistrySettings) -> ModelRegistry:
    """Open the registry at the settings' address.

    Raises:
        UsageError: MLflow knows no such address.
        MeshError: it can't be reached, read or created.
        ModuleNotFoundError: MLflow, SQLAlchemy or Alembic is not installed.
    """
    _prepare()
    from mesh.registry.mlflow.registry import MlflowRegistry
    from mesh.registry.mlflow.store import connect

    return MlflowRegistry(connect(settings))


def _prepare() -> None:
    """Settings for before MLflow is imported: no telemetry, progress bars or chatter; its warnings go to our logs."""
    for variable, value in _DEFAULTS.items():
        os.environ.setdefault(variable, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").addFilter(_without_traceback)
    # MLflow's use of SQLAlchemy 2.1, which is no business of ours or our users.
    warnings.filterwarnings(
        "ignore", "The ``noload`` loader strategy is deprecated", DeprecationWarning
    )


def _without_traceback(record: logging.LogRecord) -> bool:
    """Drop what MLflow logs of every database error besides raising it."""
    return not record.exc_info
