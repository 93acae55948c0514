"""Registries that another release of MLflow has made: refused with a sentence, or upgraded."""

import contextlib
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from mlflow.store.db.utils import _get_alembic_config, _upgrade_db

from mesh.core.errors import MeshError, UsageError
from mesh.registry.factory import open_registry, upgrade_registry
from mesh.registry.mlflow import sqlite_file, upgrade
from mesh.registry.mlflow.schema import open_engine, revisions
from mesh.registry.serve import main as registry_server
from mesh.registry.settings import RegistrySettings

NAME = "KEYWORDS-TRAINED"


@pytest.fixture
def place(sqlite_place):
    """Only the embedded registry: the others' databases are servers'."""
    return sqlite_place


@pytest.fixture
def database(registry_settings) -> Path:
    return Path(registry_settings.uri.removeprefix("sqlite:///"))


def execute(database: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows


def revision(database: Path) -> object:
    return execute(database, "SELECT version_num FROM alembic_version")[0][0]


@pytest.fixture
def make_older(database) -> Callable[[], str]:
    """Undo the last change of the schema; the revision before."""

    def make() -> str:
        engine = open_engine(sqlite_file.sqlite_url(database))
        config = _get_alembic_config("")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, revisions()[-2])
        return revisions()[-2]

    return make


@pytest.fixture
def published(registry, source, card):
    registry.publish(NAME, source, card)
    registry.alias(f"{NAME}-1", "prod")
    return registry.get(f"{NAME}:prod")


def test_an_older_registry_is_refused_and_left_as_it_is(registry_settings, database, make_older):
    older = make_older()
    before = database.read_bytes()
    with pytest.raises(MeshError, match=f"older MLflow .* {older}.*run `mesh registry upgrade`"):
        open_registry(registry_settings)
    assert database.read_bytes() == before


def test_server_of_an_older_registry_ends_with_the_same_sentence(
    database, make_older, monkeypatch, capsys
):
    make_older()
    before = database.read_bytes()
    monkeypatch.setenv("MESH_REGISTRY_SERVER_DATABASE", f"sqlite:///{database}")
    monkeypatch.setenv("MESH_REGISTRY_SERVER_STORAGE", "files")
    assert registry_server.main([]) == 1
    assert "run `mesh registry upgrade`" in capsys.readouterr().err
    assert database.read_bytes() == before


def test_an_older_registry_is_upgraded_after_a_copy(
    registry_settings, database, make_older, published
):
    older = make_older()
    rows = execute(database, "SELECT * FROM model_version_tags")
    done = upgrade_registry(registry_settings, without_copy=False)
    assert f"from the schema {older} to {revisions()[-1]}" in done
    assert "with 1 versions and 0 damaged records" in done
    copy = Path(done.rpartition(" is ")[2].removesuffix("."))
    assert copy.parent == database.parent
    assert revision(copy) == older
    assert execute(copy, "SELECT * FROM model_version_tags") == rows
    registry = open_registry(registry_settings)
    assert registry.list() == [published]
    assert registry.verify(published.reference) == []
    assert [move.alias for move in registry.history(NAME)] == ["prod"]
    assert {path.name for path in database.parent.iterdir()} == {
        "artifacts",
        "registry.db",
        "registry.db.lock",
        copy.name,
    }
    again = upgrade_registry(registry_settings, without_copy=False)
    assert again.endswith("already.")


def test_copies_of_earlier_upgrades_are_kept(registry_settings, database, make_older):
    copies = []
    for _ in range(2):
        make_older()
        done = upgrade_registry(registry_settings, without_copy=False)
        copies.append(Path(done.rpartition(" is ")[2].removesuffix(".")))
    assert len(set(copies)) == 2
    assert [revision(copy) for copy in copies] == [revisions()[-2]] * 2


@pytest.mark.parametrize(
    "use", [open_registry, partial(upgrade_registry, without_copy=False)], ids=["open", "upgrade"]
)
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE alembic_version SET version_num = 'newest'",
            "by a newer MLflow .*newest is unknown here.*: update the mesh, or go back to the copy",
        ),
        ("DELETE FROM alembic_version", "isn't one of MLflow: choose another"),
    ],
    ids=["newer", "foreign"],
)
def test_a_newer_registry_and_another_database_are_refused_and_left_as_they_are(
    registry_settings, database, statement, problem, use
):
    execute(database, statement)
    before = database.read_bytes()
    with pytest.raises(MeshError, match=problem):
        use(registry_settings)
    assert database.read_bytes() == before


UPGRADE = """
from mesh.registry.factory import upgrade_registry
from mesh.registry.serve import main as registry_server
from mesh.registry.settings import RegistrySettings
stop_at({place!r})
upgrade_registry(RegistrySettings(), without_copy=False)
"""


@pytest.mark.parametrize(
    "stop",
    [
        "mesh.registry.mlflow.upgrade:_copy",
        "mesh.registry.mlflow.upgrade:_upgrade_db",
        "mesh.registry.mlflow.upgrade:_check_rows",
    ],
)
def test_a_killed_upgrade_changes_nothing(
    kill_stopped, registry_settings, database, make_older, published, stop
):
    make_older()
    before = database.read_bytes()
    kill_stopped(UPGRADE.format(place=stop), opening="")
    assert database.read_bytes() == before
    upgrade_registry(registry_settings, without_copy=False)
    assert open_registry(registry_settings).list() == [published]


def test_an_upgrade_that_loses_rows_is_not_used(
    registry_settings, database, make_older, published, monkeypatch
):
    make_older()
    before = database.read_bytes()

    def lose(engine):
        _upgrade_db(engine)
        execute(Path(f"{database}.partial"), "DELETE FROM model_version_tags")

    monkeypatch.setattr(upgrade, "_upgrade_db", lose)
    with pytest.raises(MeshError, match="not used: the rows of its table model_version_tags have"):
        upgrade_registry(registry_settings, without_copy=False)
    assert database.read_bytes() == before


def test_nobody_writes_while_a_registry_is_upgraded(
    registry_settings, database, make_older, monkeypatch
):
    make_older()
    errors = []

    def write(engine):
        _upgrade_db(engine)
        with contextlib.closing(sqlite3.connect(database, timeout=0)) as other:
            try:
                other.execute("DELETE FROM tags")
            except sqlite3.OperationalError as error:
                errors.append(str(error))

    monkeypatch.setattr(upgrade, "_upgrade_db", write)
    upgrade_registry(registry_settings, without_copy=False)
    assert errors == ["database is locked"]


def test_a_registry_in_which_a_version_is_published_is_not_upgraded(
    registry_settings, database, make_older
):
    make_older()
    with (
        sqlite_file.publishing(database),
        pytest.raises(MeshError, match="is in use: repeat this when no publish is under way"),
    ):
        upgrade_registry(registry_settings, without_copy=False)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"uri": "http://registry:5000"}, "http://registry:5000 is a server: stop it, and upgrade"),
        (
            {"uri": "postgresql://mesh:s3cret@host/mesh"},
            r"mesh:\*\*\*@host/mesh can't be copied .* pg_dump, .* --without-copy",
        ),
        ({"backend": "other"}, "There is no registry backend 'other'"),
    ],
)
def test_registries_that_are_upgraded_elsewhere(changes, problem):
    with pytest.raises(UsageError, match=problem):
        upgrade_registry(RegistrySettings(**changes), without_copy=False)


def test_registries_that_can_not_be_upgraded(registry_settings, tmp_path):
    read_only = registry_settings.model_copy(update={"client_mode": "read-only"})
    with pytest.raises(MeshError, match="can't be upgraded: the registry is read-only"):
        upgrade_registry(read_only, without_copy=False)
    absent = RegistrySettings(uri=f"sqlite:///{tmp_path}/absent/registry.db")
    with pytest.raises(MeshError, match="There is no registry"):
        upgrade_registry(absent, without_copy=False)
    assert not (tmp_path / "absent").exists()
