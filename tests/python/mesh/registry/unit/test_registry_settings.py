import os
import subprocess
import sys

import pytest

from mesh.core.errors import UsageError
from mesh.core.settings import load_settings
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings


def test_defaults_need_no_service(monkeypatch):
    for name in ("BACKEND", "URI", "ARTIFACTS"):
        monkeypatch.delenv(f"MESH_REGISTRY_{name}", raising=False)
    settings = RegistrySettings()
    assert (settings.backend, settings.uri) == ("mlflow", "sqlite:///.mesh/registry.db")
    assert settings.artifacts == ""


def test_values_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MESH_REGISTRY_URI", "https://mlflow.example")
    (settings,) = load_settings([RegistrySettings])
    assert settings.uri == "https://mlflow.example"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"uri": "sqlite:////a/b/registry.db"}, "/a/b/artifacts"),
        ({"uri": "sqlite:////a/b/registry.db", "artifacts": "s3://bucket/x"}, "s3://bucket/x"),
        ({"uri": "postgresql://host/database", "artifacts": "/files"}, "/files"),
        ({"uri": "https://mlflow.example"}, ""),
    ],
)
def test_files_go_beside_an_sqlite_file_unless_the_settings_say_where(settings, expected):
    assert RegistrySettings.model_validate(settings).storage == expected


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:///.mesh/registry.db", "sqlite:///.mesh/registry.db"),
        ("sqlite:////data/a:b@c/registry.db", "sqlite:////data/a:b@c/registry.db"),
        ("https://mlflow.example:5000/base", "https://mlflow.example:5000/base"),
        ("postgresql://mesh:s3cret@db:5432/mesh", "postgresql://mesh:***@db:5432/mesh"),
        ("postgresql://mesh:s3/c@ret@db/mesh", "postgresql://mesh:***@db/mesh"),
        ("postgresql://db/mesh?user=mesh&password=s3cret", "postgresql://db/mesh?***"),
    ],
)
def test_password_is_not_shown(uri, shown):
    settings = RegistrySettings(uri=uri)
    assert settings.uri == uri
    assert settings.model_dump(mode="json")["uri"] == shown
    assert "cret" not in repr(settings)


def test_password_of_the_artifacts_is_not_shown():
    settings = RegistrySettings(artifacts="ftp://u:s3cret@h/x")
    assert settings.artifacts == "ftp://u:s3cret@h/x"
    assert settings.model_dump(mode="json")["artifacts"] == "ftp://u:***@h/x"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no http://mesh:s%23cret@h:9/api", "no http://mesh:***@h:9/api"),
        ("refused for s#cret", "refused for ***"),
        ("refused for s%23cret", "refused for ***"),
        ("no s3://b/x?***", "no s3://b/x?***"),
        ("no s3://b/x?access_key=t0ken&region=eu now", "no s3://b/x?*** now"),
        ("t0ken is old in region eu", "*** is old in region eu"),
    ],
)
def test_passwords_are_hidden_in_the_messages_of_others(text, shown):
    settings = RegistrySettings(
        uri="http://mesh:s%23cret@h:9", artifacts="s3://b/x?access_key=t0ken&region=eu"
    )
    assert settings.hide_passwords(text) == shown


def test_unknown_backend_names_the_known_ones():
    with pytest.raises(UsageError, match="'neptun'.*mlflow"):
        open_registry(RegistrySettings(backend="neptun"))


@pytest.mark.parametrize("package", ["mlflow", "sqlalchemy"])
def test_missing_package_is_named(package):
    code = f"""
import sys
sys.modules[{package!r}] = None
from mesh.core.errors import MeshError
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
try:
    open_registry(RegistrySettings())
except MeshError as error:
    print(error)
"""
    assert f"needs the Python package {package!r}, which is not installed" in run_python(code)


def test_importing_the_factory_imports_no_backend():
    assert (
        run_python("import sys, mesh.registry.factory; print('mlflow' in sys.modules)") == "False\n"
    )


def run_python(code: str) -> str:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("http://Registry", "http://registry:80/"),
        ("https://registry/mlflow/", "https://user:secret@registry:443/mlflow"),
        ("postgresql://a:b@db/registry", "postgresql+psycopg://db:5432/registry?sslmode=require"),
        ("sqlite:///a/../registry.db", "sqlite:///./registry.db"),
    ],
)
def test_registry_in_another_spelling_is_the_same(uri: str, same: str) -> None:
    assert RegistrySettings(uri=uri).identity == RegistrySettings(uri=same).identity
    assert RegistrySettings(uri=uri).identity != RegistrySettings(uri=f"{uri}2").identity
    assert "secret" not in RegistrySettings(uri=same).identity
