"""The shared registry behind the real nginx, with the file of the compose file."""

import base64
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from services.registry_server import RegistryServer

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = Path("docker/registry-proxy.conf")
CALLER = "alice"

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="there is no nginx; Debian's package has it (apt install nginx)"
)


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs, and what its clients need."""

    url: str
    certificate: Path
    key: str
    log: Path

    def status(self, path: str, *, key: str | None = None) -> int:
        """The status of a request, without a key or with one."""
        request = urllib.request.Request(self.url + path)
        if key is not None:
            login = base64.b64encode(f"{CALLER}:{key}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        context = ssl.create_default_context(cafile=self.certificate)
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    server = RegistryServer(
        database=f"sqlite:///{folder}/server.db",
        storage=str(folder / "files"),
        environment={},
        log=folder / "server.log",
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = secrets.token_hex(32)
    configure(folder, port, server.url, key)
    with (folder / "nginx.log").open("wb") as output:
        process = subprocess.Popen(
            [str(NGINX), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"],
            stdout=output,
            stderr=output,
        )
    try:
        server.start()
        wait_for(port, process)
        yield Proxy(f"https://127.0.0.1:{port}", folder / "server.crt", key, folder / "access.log")
    finally:
        process.terminate()
        process.wait(60)
        server.stop()


def configure(folder: Path, port: int, registry: str, key: str) -> None:
    """The files of the proxy as they are deployed, but for its places on this machine."""
    text = CONFIGURATION.read_text()
    for deployed, here in (
        ("http://registry:5000", registry),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("/tmp/", f"{folder}/"),
        ("/dev/stdout", str(folder / "access.log")),
    ):
        assert deployed in text
        text = text.replace(deployed, here)
    if os.geteuid() == 0:
        # Workers would be another user's then, who can't read the files of tests.
        text = f"user root;\n{text}"
    (folder / "nginx.conf").write_text(text)
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")]
    subprocess.run([*request.split(), *names, *files], check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "-stdin"],
        input=key,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    (folder / "users").write_text(f"{CALLER}:{hashed}")


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)


def test_the_registry_is_open_to_callers_with_a_key_alone(proxy: Proxy) -> None:
    search = "/api/2.0/mlflow/registered-models/search"
    for path in ("/", search, "/api/2.0/mlflow-artifacts/artifacts", "/health/../" + search):
        assert proxy.status(path) == 401
        assert proxy.status(path, key="wrong") == 401
    assert proxy.status(search, key=proxy.key) == 200
    # For health checks.
    assert proxy.status("/health") == 200
    log = proxy.log.read_text()
    assert f" {CALLER} " in log
    assert proxy.key not in log


def test_versions_pass_the_proxy(
    proxy: Proxy, source: Path, card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(proxy.certificate))
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", CALLER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", proxy.key)
    (source / "model_artifacts").mkdir(exist_ok=True)
    (source / "model_artifacts" / "large.bin").write_bytes(secrets.token_bytes(20_000_000))
    registry = open_registry(RegistrySettings(uri=proxy.url))
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch(published.reference, tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert registry.verify(published.reference) == []
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(MeshError) as caught:
        registry.list("KEYWORDS-TRAINED")
    assert "401" in str(caught.value)
    assert proxy.key not in str(caught.value)
