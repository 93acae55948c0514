"""The load generator's connections: kept, closed by the server, and by https."""

import datetime
import ipaddress
import resource
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.core.errors import MeshError
from mesh.loadtest.plan import Exchange, GeneratorFigures, LoadPlan, PlannedRequest
from mesh.loadtest.run import run_plan
from mesh.loadtest.server import Server
from services.http import Handler, ScriptedServer, running

REQUEST = PlannedRequest(method="POST", path="/predict", body="{}")


class Closing(Handler):
    """Closes each connection when its second request comes, as one that was idle for too long."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self) -> None:
        self.answer(200, b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.served += 1
        self.close_connection = self.served > 1
        if not self.close_connection:
            self.answer(200, b"{}")


@pytest.fixture
def server() -> Iterator[Any]:
    server = ScriptedServer(lambda *_: None)
    server.RequestHandlerClass = Closing
    with running(server) as started:
        yield started


def load(url: str, **settings: Any) -> tuple[list[Exchange], GeneratorFigures]:
    plan = LoadPlan(
        url=url,
        users=2,
        spawn_rate=100,
        run_seconds=0.5,
        timeout_seconds=10,
        think_seconds=0,
        requests=(REQUEST,),
        **settings,
    )
    ended: list[GeneratorFigures] = []
    exchanges = list(run_plan(plan, ended.append))
    [figures] = ended
    return exchanges, figures


def test_connection_that_the_server_closed_is_opened_again(server: Any) -> None:
    exchanges, figures = load(server.url)
    assert len(exchanges) > 2
    assert {(exchange.status, exchange.error) for exchange in exchanges} == {(200, None)}
    assert figures.connections_reopened > 0
    assert figures.users_started == 2
    assert 0 < figures.processor <= 1.5
    assert 0 <= figures.lag_p50_ms <= figures.lag_max_ms


def test_server_with_a_certificate_of_an_own_authority(server: Any, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    with Server(url, 10, certificate) as trusting:
        trusting.require_ready()
    exchanges, _ = load(url, ca_file=certificate)
    assert {(exchange.status, exchange.error) for exchange in exchanges} == {(200, None)}
    with Server(url, 10) as wary, pytest.raises(MeshError, match=r"isn't trusted .*LOAD_CA_FILE"):
        wary.require_ready()


class Asking(Handler):
    """Responds to those who have the key."""

    def do_GET(self) -> None:
        self.answer(200 if self.headers["Authorization"] == "Bearer key" else 401, b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


def test_server_that_asks_for_a_key(server: Any) -> None:
    server.RequestHandlerClass = Asking
    exchanges, _ = load(server.url, api_key="key")
    assert {exchange.status for exchange in exchanges} == {200}
    bio = PlannedRequest(method="GET", path="/v1/model/a/bio")
    with Server(server.url, 10, key="key") as known:
        known.require_ready()
    with Server(server.url, 10) as unknown, pytest.raises(MeshError, match="set LOAD_API_KEY"):
        unknown.bio(bio, "a")


def test_a_key_is_not_written_with_a_plan() -> None:
    settings = {"users": 1, "spawn_rate": 1, "run_seconds": 1, "timeout_seconds": 1}
    plan = LoadPlan(url="http://a", think_seconds=0, requests=(), api_key="key", **settings)
    assert "key" not in plan.model_dump_json()
    assert "key'" not in repr(plan)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_generator_opens_as_many_files_as_the_system_allows() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096)); "
        "from mesh.loadtest.generator import allow_open_files; allow_open_files(); "
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert most == resource.RLIM_INFINITY or most >= 4096
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "(4096, 4096)\n"
