"""Upgrades the database of a registry that an older MLflow has made."""

import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.store.db.utils import _upgrade_db

from mesh.core.disk import sync
from mesh.core.errors import MeshError, UsageError
from mesh.core.urls import mask_url
from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.mlflow.records import list_records
from mesh.registry.mlflow.schema import open_engine, read_revision, revisions
from mesh.registry.mlflow.sqlite_file import (
    LOCK_SECONDS,
    alone,
    database_path,
    partial_file,
    sqlite_url,
)
from mesh.registry.settings import POSTGRESQL, SQLITE, RegistrySettings

# What the registry keeps in the database.
_TABLES = (
    "registered_models",
    "registered_model_aliases",
    "registered_model_tags",
    "model_versions",
    "model_version_tags",
    "experiments",
    "runs",
    "tags",
)


def upgrade(settings: RegistrySettings, *, without_copy: bool) -> str:
    """Give a registry's database the schema of this MLflow; return a sentence about it.

    Args:
        without_copy: whether the user has made a copy where this can't.

    Raises:
        UsageError: the database isn't this program's to change, or a copy is missing.
        MeshError: it is in use, was made by a newer MLflow, or the upgraded one isn't intact.
    """
    shown = mask_url(settings.uri)
    with registry_errors(settings):
        if settings.uri.startswith(SQLITE):
            return _upgrade_file(database_path(settings.uri), shown)
        if not settings.uri.startswith(POSTGRESQL):
            raise UsageError(
                f"The registry {shown} is a server: stop it, and upgrade its database with "
                "MESH_REGISTRY_URI as the database's address."
            )
        if not without_copy:
            raise UsageError(
                f"The registry {shown} can't be copied by this program: make a copy with pg_dump, "
                "then repeat this with --without-copy."
            )
        before = _outdated(settings.uri, shown)
        if before is None:
            return _up_to_date(shown)
        return f"{_migrate(settings.uri, shown, before)}."


def _upgrade_file(path: Path, shown: str) -> str:
    """Upgrade a copy, check it, and put its content into the file in one transaction.

    The file is locked from the first read to the end, so nothing that is written meanwhile is lost.
    A killed upgrade leaves the file as it was.
    """
    if not path.exists():
        raise MeshError(f"There is no registry {shown}.")
    with alone(path) as is_alone:
        if not is_alone:
            raise MeshError(
                f"The registry {shown} is in use: repeat this when no publish is under way."
            )
        before = _outdated(sqlite_url(path), shown)
        if before is None:
            return _up_to_date(shown)
        with _exclusive(path) as database:
            copy = _copy(database, path)
            upgraded = partial_file(path)
            shutil.copyfile(copy, upgraded)
            done = _migrate(sqlite_url(upgraded), shown, before)
            with contextlib.closing(sqlite3.connect(upgraded)) as source:
                _check_rows(copy, source)
                source.backup(database)
        upgraded.unlink()
    return f"{done}; a copy of its database as it was is {copy}."


def _outdated(url: str, shown: str) -> str | None:
    """The revision of an older schema; None if there is nothing to upgrade."""
    revision = read_revision(open_engine(url), shown)
    return None if revision in (None, revisions()[-1]) else revision


def _up_to_date(shown: str) -> str:
    return f"The registry {shown} has the schema of MLflow {mlflow.__version__} already."


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that no other one can read or write beside, until it is closed."""
    connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
    with contextlib.closing(connection):
        # Otherwise the lock would end with the transaction.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        yield connection


def _copy(database: sqlite3.Connection, path: Path) -> Path:
    """Copy the database beside its file, under a name that is free."""
    name = f"{path}.before-mlflow-{mlflow.__version__}"
    copy = Path(name)
    for count in itertools.count(2):
        if not copy.exists():
            break
        copy = Path(f"{name}-{count}")
    partial = partial_file(path)
    with contextlib.closing(sqlite3.connect(partial)) as target:
        database.backup(target)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.rename(copy)
    sync(path.parent)
    return copy


def _migrate(url: str, shown: str, before: str) -> str:
    """Change the schema, and read every record; return the beginning of a sentence about it."""
    engine = open_engine(url)
    _upgrade_db(engine)  # type: ignore[no-untyped-call]
    after = read_revision(engine, shown)
    if after != revisions()[-1]:
        raise MeshError(f"The registry {shown} has the schema {after} after its upgrade.")
    records, damaged = list_records(MlflowClient(url, url), None)
    return (
        f"The registry {shown} is upgraded from the schema {before} to {after} of MLflow "
        f"{mlflow.__version__}, with {len(records)} versions and {len(damaged)} damaged records"
    )


def _check_rows(copy: Path, upgraded: sqlite3.Connection) -> None:
    """Check that an upgraded database is intact and has the same rows as the copy.

    Raises:
        MeshError: it isn't or hasn't.
    """
    problems = [row for (row,) in upgraded.execute("PRAGMA integrity_check") if row != "ok"]
    with contextlib.closing(sqlite3.connect(copy)) as before:
        for table in _TABLES:
            columns = _columns(before, table)
            if columns and _rows(before, table, columns) != _rows(upgraded, table, columns):
                problems.append(f"the rows of its table {table} have changed")
    if problems:
        raise MeshError(
            f"The upgraded database is not used: {'; '.join(problems)}. The registry is as it was."
        )


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [str(column[1]) for column in database.execute(f"PRAGMA table_info({table})")]


def _rows(database: sqlite3.Connection, table: str, columns: list[str]) -> list[tuple[object, ...]]:
    if not set(columns) <= set(_columns(database, table)):
        return []
    names = ", ".join(columns)
    return sorted(database.execute(f"SELECT {names} FROM {table}"), key=repr)  # noqa: S608
