"""Turns the errors of MLflow, its database and its storage into sentences."""

import contextlib
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from mesh.core.errors import MeshError
from mesh.core.urls import mask_url
from mesh.registry.settings import SQLITE, RegistrySettings
from mesh.registry.storage_errors import describe_failed_file, failed_file

# SQLAlchemy writes the driver's error behind its own advice, and a server passes both on.
_DRIVER = re.compile(r"\((?:sqlite3|psycopg\d?)\.[\w.]+\) (?P<reason>.+)")
_REASONS = {
    "is locked": "its database is locked: another program is writing to it; repeat this when that has ended",
    "readonly database": "its database can't be written: it is read-only; see who may write its file and folder",
    "disk is full": "the disk of its database is full; make room there",
    "unable to open database": "its database can't be opened: see who may read and write its file and folder",
}


@contextlib.contextmanager
def registry_errors(settings: RegistrySettings) -> Iterator[None]:
    """Turn the errors of MLflow, its database and its storage into sentences without passwords.

    Raises:
        MeshError: instead of any of them; it names the registry, unless a file of the caller's is
            to blame.
    """
    try:
        yield
    except _failures() as error:
        named = failed_file(error)
        if named is not None and isinstance(error, OSError):
            reason = describe_failed_file(error)
            if not _is_own(named, settings):
                raise MeshError(f"{reason}.") from error
        else:
            reason = _reason(settings.hide_passwords(str(error)).strip()) or type(error).__name__
        shown = mask_url(settings.uri)
        raise MeshError(f"The registry {shown} failed: {reason.rstrip('.')}.") from error


def _reason(text: str) -> str:
    """The line of an error that says what is wrong."""
    if match := _DRIVER.search(text):
        reason = match["reason"]
        return next((said for part, said in _REASONS.items() if part in reason), reason)
    return text.partition("\n")[0]


def _is_own(path: str, settings: RegistrySettings) -> bool:
    """Whether a file is one of the registry's."""
    if settings.uri.startswith(SQLITE):
        database = Path(settings.uri.removeprefix(SQLITE)).absolute()
        if path.startswith(str(database)):
            return True
    storage = settings.storage
    if not storage or "://" in storage:
        return False
    return Path(path).absolute().is_relative_to(Path(storage).absolute())


def _failures() -> tuple[type[Exception], ...]:
    """The errors of MLflow, its database and, where it is in use, boto3."""
    failures = (MlflowException, SQLAlchemyError, OSError, sqlite3.Error)
    if "botocore" not in sys.modules:
        return failures
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return *failures, Boto3Error, BotoCoreError, ClientError
