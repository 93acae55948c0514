"""The SQLite file of an embedded registry: found, made and locked."""

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mesh.core.disk import sync
from mesh.core.errors import MeshError, UsageError
from mesh.core.locks import lock_now
from mesh.registry.local_files import make_folder
from mesh.registry.settings import SQLITE

LOCK_SECONDS = 20.0


def database_path(uri: str) -> Path:
    """The full path of the file that a URI names.

    Raises:
        UsageError: it names none, or has options.
    """
    name = uri.removeprefix(SQLITE)
    if not name or name.startswith(":"):
        raise UsageError(f"MESH_REGISTRY_URI={uri!r} names no file: use sqlite:///FILE.")
    path = Path(name).absolute()
    if "?" in path.name:
        raise UsageError(
            f"MESH_REGISTRY_URI={uri!r}: the name of an SQLite file can't have '?', and options have "
            "no effect."
        )
    return path


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file as SQLAlchemy reads it."""
    encoded = str(path).replace("%", "%25").replace("?", "%3F")
    if encoded == str(path):
        return f"{SQLITE}{path}"
    # For a URL without the driver, MLflow would make a folder that is named like the encoded path.
    return f"sqlite+pysqlite:///{encoded}"


def ensure_database(path: Path) -> None:
    """Make a missing database: one process at a time, completely or not at all.

    Raises:
        MeshError: it can't be made or read.
    """
    if not _is_empty(path):
        return
    try:
        make_folder(path.parent, durable=True)
        with lock_file(path).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_empty(path):
                _create_database(path)
    except OSError as error:
        raise MeshError(
            f"The registry's folder {path.parent} can't be written: {error.strerror}."
        ) from error


def lock_file(database: Path) -> Path:
    """The file that publishers and creators of a database lock."""
    return Path(f"{database}.lock")


@contextlib.contextmanager
def publishing(database: Path) -> Iterator[None]:
    """Show that a publish is under way, until this ends or the process is killed."""
    with lock_file(database).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def alone(database: Path) -> Iterator[bool]:
    """Keep publishes waiting; tells whether none is under way."""
    with contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(lock_file(database).open("a"))
            is_alone = lock_now(lock.fileno())
        except OSError:
            # It may not be written.
            is_alone = False
        yield is_alone


def partial_file(database: Path) -> Path:
    """The name of a database until it is complete; whoever makes one holds the lock."""
    partial = Path(f"{database}.partial")
    for stale in (partial, Path(f"{partial}-journal")):
        stale.unlink(missing_ok=True)
    return partial


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

    partial = partial_file(path)
    store = SqlAlchemyStore(sqlite_url(partial), (path.parent / "artifacts").as_uri())  # type: ignore[no-untyped-call]
    store.engine.dispose()
    partial.replace(path)
    sync(path.parent)
