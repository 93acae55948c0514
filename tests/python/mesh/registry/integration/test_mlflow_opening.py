"""Opening the embedded registry: created at its first use, or refused with a sentence."""

import contextlib
import os
import re
import shutil
import socket
import socketserver
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.registry.factory import open_registry
from mesh.registry.mlflow import sqlite_file
from mesh.registry.settings import RegistrySettings
from services.http import running


@pytest.fixture
def place(sqlite_place):
    """Only the embedded registry: these tests are specific to it."""
    return sqlite_place


def settings_in(folder: Path) -> RegistrySettings:
    return RegistrySettings(
        uri=f"sqlite:///{folder}/registry.db", artifacts=str(folder / "artifacts")
    )


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that refuses connections: bound, so that no process takes it, without a listener."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_killed_creation_leaves_no_database(kill_stopped, tmp_path, source, card):
    folder = tmp_path / "new"
    for place in ("alembic.command:upgrade", "alembic.op:create_table", "pathlib:Path.replace"):
        kill_stopped(
            f"from mesh.registry.factory import open_registry\n"
            f"from mesh.registry.settings import RegistrySettings\n"
            f"stop_at({place!r})\n"
            f"open_registry(RegistrySettings(uri='sqlite:///{folder}/registry.db'))",
            opening="",
        )
        assert not (folder / "registry.db").exists()
        assert (folder / "registry.db.partial").exists()
    registry = open_registry(settings_in(folder))
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        "artifacts",
        "registry.db",
        "registry.db.lock",
    ]


def test_first_use_by_default_settings_is_quiet_and_tidy(tmp_path):
    code = """
import logging
from collections.abc import Iterator
from pathlib import Path
from mesh.core.card import ModelCard
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from services.http import running
logging.basicConfig(level=logging.INFO)
registry = open_registry(RegistrySettings())
Path("files").mkdir()
Path("files/a").write_text("a")
card = ModelCard(project="k", model_type="trained", code_revision="r", fingerprint="f")
registry.publish("K-TRAINED", Path("files"), card)
registry.fetch("K-TRAINED:latest", Path("models/K-TRAINED-1"))
"""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MESH_", "MLFLOW_"))
    }
    result = subprocess.run(
        [sys.executable, "-W", "default", "-c", code],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in result.stderr.splitlines() if "mesh" not in line] == []
    assert result.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mesh", "files", "models"]
    assert sorted(path.name for path in (tmp_path / ".mesh").iterdir()) == [
        "artifacts",
        "registry.db",
        "registry.db.lock",
    ]


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MeshError, match=r"folder .*/file/store can't be written: Not a directory"):
        open_registry(settings_in(tmp_path / "file" / "store"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(MeshError, match="can't be written: Permission denied"):
        open_registry(settings_in(tmp_path))


def test_artifacts_folder_that_cannot_be_made(registry_settings, source, card, tmp_path):
    (tmp_path / "file").write_text("x")
    registry = open_registry(
        registry_settings.model_copy(update={"artifacts": str(tmp_path / "file/artifacts")})
    )
    with pytest.raises(MeshError, match="registry .* failed: .*Not a directory"):
        registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []


def test_file_that_is_not_a_database(tmp_path):
    (tmp_path / "registry.db").write_text("this is no database, but a text of some length")
    with pytest.raises(MeshError, match=r"registry.db can't be read: file is not a database"):
        open_registry(settings_in(tmp_path))


def test_truncated_database(registry_settings, source, card):
    open_registry(registry_settings).publish("KEYWORDS-TRAINED", source, card)
    os.truncate(registry_settings.uri.removeprefix("sqlite:///"), 20_000)
    with pytest.raises(MeshError, match="malformed"):
        open_registry(registry_settings).list()


def test_folder_in_place_of_the_database(tmp_path):
    (tmp_path / "registry.db").mkdir()
    with pytest.raises(MeshError, match="registry.db can't be read: unable to open database file"):
        open_registry(settings_in(tmp_path))


def test_locked_database(registry_settings, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.0)
    database = registry_settings.uri.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(MeshError, match="registry.db can't be read: database is locked"):
            open_registry(registry_settings)


@pytest.mark.parametrize("name", ["100%/a?b", "a%20b%3F/%(x)s ?y=1&#[é]"])
def test_folders_with_characters_of_urls(tmp_path, empty_database, source, card, name):
    folder = tmp_path / "clone" / name
    folder.mkdir(parents=True)
    if name.startswith("a"):
        # The other one makes its database itself.
        shutil.copyfile(empty_database, folder / "registry.db")
    registry = open_registry(RegistrySettings(uri=f"sqlite:///{folder}/registry.db"))
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch(published.reference, folder / "models" / published.reference)
    assert registry.verify(published.reference) == []
    found = [path.relative_to(tmp_path / "clone").as_posix() for path in folder.parent.iterdir()]
    assert found == [name]
    assert [path.name for path in (tmp_path / "clone").iterdir()] == [name.partition("/")[0]]
    (folder / "registry.db").write_bytes(b"")
    with pytest.raises(MeshError, match=re.escape(f"The registry sqlite:///{folder}/registry.db")):
        registry.list()


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "registry.db",
        "/data/registry.db",
        "file:///data",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "ftp://x",
        "mysql://mesh@host/mesh",
        "mssql+pyodbc://mesh@host/mesh",
        "sqlite:////data/a?mode=ro",
    ],
)
def test_addresses_that_are_not_understood(uri):
    with pytest.raises(UsageError, match="MESH_REGISTRY_URI"):
        open_registry(RegistrySettings(uri=uri))


def test_password_is_not_in_messages():
    with pytest.raises(UsageError) as caught:
        open_registry(RegistrySettings(uri="ftp://mesh:s3cret@host/x"))
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def closing_server():
    """The URL of a server that closes every connection, and their number."""
    connections = []

    class Close(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connections.append(self.client_address)

    with running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Close)) as server:
        yield f"127.0.0.1:{server.server_address[1]}", connections


@pytest.fixture
def _no_waiting(monkeypatch):
    """No pauses between attempts, and no settings of the shell or of earlier tests."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_waiting")
def test_unreachable_server_is_named_without_its_password(unused_port):
    registry = open_registry(RegistrySettings(uri=f"http://mesh:s3cret@127.0.0.1:{unused_port}"))
    with pytest.raises(MeshError, match=r"^The registry http://mesh:\*\*\*@127\.0\.0\.1") as caught:
        registry.list()
    assert "s3cret" not in str(caught.value)
    assert "API request to http://mesh:***@127.0.0.1" in str(caught.value)


@pytest.mark.usefixtures("_no_waiting")
def test_server_is_tried_three_times(closing_server):
    address, connections = closing_server
    with pytest.raises(MeshError, match=f"The registry http://{address} failed"):
        open_registry(RegistrySettings(uri=f"http://{address}")).list()
    assert len(connections) == 3
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "30"


def test_missing_driver_of_postgresql_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MeshError, match="needs the Python package 'psycopg'") as caught:
        open_registry(
            RegistrySettings(uri="postgresql://mesh:s3cret@127.0.0.1:9/mesh", artifacts="files")
        )
    assert "s3cret" not in str(caught.value)


def test_other_models_in_the_same_mlflow_are_left_alone(registry, source, card):
    client = registry.store.client
    client.create_registered_model("someone-elses")
    client.create_model_version("someone-elses", "s3://bucket/model")
    client.create_registered_model("KEYWORDS-TRAINED")
    client.create_model_version("KEYWORDS-TRAINED", "s3://bucket/model")
    assert registry.list() == []
    with pytest.raises(MeshError, match="registered are: none"):
        registry.get("KEYWORDS-TRAINED-1")
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2
    client.create_model_version("KEYWORDS-TRAINED", "s3://bucket/model")
    assert registry.get("KEYWORDS-TRAINED:latest").version == 2
    with pytest.raises(MeshError, match="There is no KEYWORDS-TRAINED-3; .* are 2"):
        registry.get("KEYWORDS-TRAINED-3")


def test_numbers_of_deleted_versions_are_not_given_again(registry, source, card):
    for _ in range(2):
        registry.publish("KEYWORDS-TRAINED", source, card)
    registry.store.client.delete_model_version("KEYWORDS-TRAINED", "2")
    assert [version.version for version in registry.list()] == [1]
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 3


def test_an_unknown_format_says_so(registry, source, card):
    registry.publish("KEYWORDS-TRAINED", source, card)
    registry.store.client.set_model_version_tag("KEYWORDS-TRAINED", "1", "mesh.format", "2")
    with pytest.raises(
        MeshError, match="KEYWORDS-TRAINED-1 has a format that this mesh can't read"
    ):
        registry.get("KEYWORDS-TRAINED-1")


def test_a_damaged_record_says_so(registry, source, card):
    registry.publish("KEYWORDS-TRAINED", source, card)
    registry.store.client.set_model_version_tag("KEYWORDS-TRAINED", "1", "mesh.card.0000", "{")
    with pytest.raises(MeshError, match="record of KEYWORDS-TRAINED-1 is damaged"):
        registry.get("KEYWORDS-TRAINED-1")
