"""The shared registry in its container, by registry.compose.yaml, on a real PostgreSQL and S3."""

import ipaddress
import json
import os
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from containers.functional.compose_project import IMAGES, USER, docker, inspect, title, wait_until
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from services import s3 as s3_service
from services.postgres import run_postgres

NAMES = [name for name in IMAGES if title(name) == "mesh-registry"]
COMPOSE_FILE = "docker/registry.compose.yaml"
SOCKETS = "/run/postgresql"

pytestmark = pytest.mark.skipif(
    not NAMES,
    reason="no image of the registry is given; `build-support/docker/test mesh` builds and tests it",
)


@dataclass(frozen=True)
class Service:
    """The registry's service; a call runs compose, and returns its exit code and output."""

    environment: dict[str, str]
    files: tuple[str, ...] = (COMPOSE_FILE,)

    def __call__(self, *arguments: str) -> tuple[int, str]:
        has_plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
        compose = ["docker-compose"] if has_plugin.returncode else ["docker", "compose"]
        files = [word for file in self.files for word in ("--file", file)]
        result = subprocess.run(
            [*compose, *files, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.returncode, result.stdout

    @property
    def container(self) -> str:
        """The service's container."""
        exit_code, output = self("ps", "--quiet", "registry")
        assert exit_code == 0, output
        return output.split()[-1]

    def wait_until_healthy(self) -> None:
        """Return when the server passes its own health check."""
        container = self.container
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", container)

    @property
    def address(self) -> str:
        """The URL for clients on this machine."""
        [binding, *_] = inspect(self.container)["NetworkSettings"]["Ports"]["5000/tcp"]
        return f"http://127.0.0.1:{binding['HostPort']}"


def environment(**settings: str) -> dict[str, str]:
    [name] = NAMES
    prefix = name.rpartition("/")[0]
    return {
        **{key: os.environ[key] for key in ("PATH", "HOME", "DOCKER_HOST") if key in os.environ},
        "IMAGE_TAG": name.rpartition(":")[2],
        "IMAGE_PREFIX": prefix and f"{prefix}/",
        "COMPOSE_PROJECT_NAME": f"mesh-test-{os.getpid()}-registry",
        # Any free port.
        "PORT": "0",
        **settings,
    }


@pytest.fixture(scope="module")
def s3() -> Iterator[s3_service.Storage]:
    [network] = json.loads(docker("network", "inspect", "bridge"))
    [configuration, *_] = network["IPAM"]["Config"]
    # This machine's address, as containers see it. A restarted daemon does not tell it.
    address = configuration.get("Gateway") or ipaddress.ip_network(configuration["Subnet"])[1]
    with s3_service.run_s3(str(address)) as storage:
        yield storage


@pytest.fixture(scope="module")
def service(s3: s3_service.Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with run_postgres() as database:
        parts = urllib.parse.urlsplit(database)
        [sockets] = urllib.parse.parse_qs(parts.query)["host"]
        # The container's user isn't the database's.
        Path(sockets).chmod(0o711)
        # The database listens on a socket only; the container gets it.
        override = tmp_path_factory.mktemp("registry") / "override.json"
        mount = {"registry": {"volumes": [f"{sockets}:{SOCKETS}"]}}
        override.write_text(json.dumps({"services": mount}))
        settings = environment(
            MESH_REGISTRY_SERVER_DATABASE=parts._replace(query=f"host={SOCKETS}").geturl(),
            MESH_REGISTRY_SERVER_STORAGE=f"s3://{s3_service.BUCKET}/shared",
            MLFLOW_S3_ENDPOINT_URL=s3.endpoint,
            **s3_service.ENVIRONMENT,
        )
        compose = Service(settings, (COMPOSE_FILE, str(override)))
        try:
            exit_code, output = compose("up", "--detach")
            assert exit_code == 0, output
            compose.wait_until_healthy()
            yield compose
        finally:
            exit_code, output = compose("down", "--volumes")
            assert exit_code == 0, output


def test_version_survives_the_container(
    service: Service, s3: s3_service.Storage, source: Path, card: Any, tmp_path: Path
) -> None:
    published = open_registry(RegistrySettings(uri=service.address)).publish(
        "KEYWORDS-TRAINED", source, card
    )
    assert any(path.startswith("shared/") for path in s3.paths())
    exit_code, output = service("up", "--detach", "--force-recreate")
    assert exit_code == 0, output
    service.wait_until_healthy()
    registry = open_registry(RegistrySettings(uri=service.address))
    registry.fetch(published.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert registry.verify(published.reference) == []


def test_server_runs_without_privileges_and_shows_no_secret(service: Service) -> None:
    server = inspect(service.container)
    assert server["Config"]["User"] == f"{USER}:{USER}"
    assert server["HostConfig"]["ReadonlyRootfs"]
    assert server["HostConfig"]["CapDrop"] == ["ALL"]
    processes = docker("top", service.container)
    assert "mlflow" in processes
    assert "postgresql" not in processes
    assert service.environment["MESH_REGISTRY_SERVER_DATABASE"] not in docker(
        "logs", service.container
    )


def test_other_names_of_the_server_are_refused(service: Service) -> None:
    responses = [
        httpx.get(
            f"{service.address}/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers
        )
        for headers in ({}, {"Host": "attacker.example"})
    ]
    assert [response.status_code for response in responses] == [200, 403]


def test_missing_setting_is_named_before_anything_starts() -> None:
    exit_code, output = Service(environment(MESH_REGISTRY_SERVER_STORAGE="s3://models"))("up")
    assert exit_code != 0
    assert "name a database" in output
