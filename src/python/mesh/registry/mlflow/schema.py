"""The schema of MLflow's database, which each release of MLflow may change.

MLflow would change an older one in place as soon as it opens it, without a copy.
"""

import functools
from collections.abc import Sequence

import mlflow
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.pool import NullPool

from mesh.core.errors import MeshError


def check_schema(url: str, shown: str) -> None:
    """Check that a database has the schema of this MLflow, or is empty.

    Args:
        url: as SQLAlchemy reads it.
        shown: the registry's address for people.

    Raises:
        MeshError: it has another one; the sentence says what to do.
        SQLAlchemyError: it can't be read.
    """
    revision = read_revision(open_engine(url), shown)
    if revision is not None and revision != revisions()[-1]:
        raise MeshError(
            f"The registry {shown} was made by an older MLflow than {mlflow.__version__} (its schema "
            f"is {revision}): run `mesh registry upgrade`, which keeps a copy of its database."
        )


def read_revision(engine: Engine, shown: str) -> str | None:
    """The revision of a database's schema; None if the database is empty.

    Raises:
        MeshError: it isn't one that this MLflow knows.
        SQLAlchemyError: it can't be read.
    """
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        is_empty = not inspect(connection).get_table_names()
    if revision is None and not is_empty:
        raise MeshError(f"The database {shown} isn't one of MLflow: choose another.")
    if revision is not None and revision not in revisions():
        raise MeshError(
            f"The registry {shown} was made or upgraded by a newer MLflow than {mlflow.__version__} "
            f"(its schema {revision} is unknown here): update the mesh, or go back to the copy that "
            "was kept when it was upgraded."
        )
    return revision


def open_engine(url: str) -> Engine:
    """SQLAlchemy's way to a database; it keeps no connections."""
    return create_engine(url, poolclass=NullPool)


@functools.cache
def revisions() -> Sequence[str]:
    """The revisions of the schema that this MLflow knows, oldest first; the last one is its own."""
    scripts = ScriptDirectory.from_config(_get_alembic_config(""))  # type: ignore[no-untyped-call]
    return [script.revision for script in scripts.walk_revisions()][::-1]
