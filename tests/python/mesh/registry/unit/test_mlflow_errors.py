import errno
import os

import pytest
from mlflow.exceptions import MlflowException

from mesh.core.errors import MeshError
from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.settings import RegistrySettings

ADVICE = (
    "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush block if "
    "this flush is occurring prematurely)\n"
)
SETTINGS = RegistrySettings(uri="sqlite:////store/registry.db")


def system_error(code: int, *names: str) -> OSError:
    first, *second = names
    return OSError(code, os.strerror(code), first, None, *second)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            MlflowException(f"{ADVICE}(sqlite3.OperationalError) database is locked\n[SQL: X]"),
            "its database is locked: another program is writing to it; repeat this when that has ended",
        ),
        (
            MlflowException(
                f"{ADVICE}(sqlite3.OperationalError) attempt to write a readonly database\n[SQL: X]"
            ),
            "its database can't be written: it is read-only; see who may write its file and folder",
        ),
        (
            MlflowException(
                f"{ADVICE}(sqlite3.OperationalError) database or disk is full\n[SQL: X]"
            ),
            "the disk of its database is full; make room there",
        ),
        (
            MlflowException("(psycopg2.errors.DiskFull) could not extend file\nHINT: X"),
            "could not extend file",
        ),
        (MlflowException("Model not found.\nmore"), "Model not found"),
        (OSError("no name"), "no name"),
        (
            system_error(errno.ENOSPC, "/store/artifacts/run/file"),
            "/store/artifacts/run/file can't be written: No space left on device",
        ),
        (
            system_error(errno.EACCES, "/store/registry.db.lock"),
            "/store/registry.db.lock can't be read or written: Permission denied",
        ),
    ],
)
def test_failures_of_the_registry(error: Exception, sentence: str) -> None:
    with pytest.raises(MeshError) as caught, registry_errors(SETTINGS):
        raise error
    assert str(caught.value) == f"The registry sqlite:////store/registry.db failed: {sentence}."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            system_error(errno.EROFS, "/models/a"),
            "/models/a can't be written: Read-only file system.",
        ),
        (
            system_error(errno.EACCES, "/outputs/a"),
            "/outputs/a can't be read or written: Permission denied.",
        ),
        (
            system_error(errno.ENOSPC, "/outputs/a", "/tmp/content"),
            "/tmp/content can't be written: No space left on device.",
        ),
    ],
)
def test_failures_of_others(error: Exception, sentence: str) -> None:
    with pytest.raises(MeshError) as caught, registry_errors(SETTINGS):
        raise error
    assert str(caught.value) == sentence
