"""Keys, certificates and ports of real servers, which two HTTP servers treat alike."""

import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from access_files import Authority, add_key, bearer, remove_key
from mesh.serve import healthcheck

PREDICT = "/v1/model/tiny/predict"
Start = Callable[..., Any]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def context(authority: Authority, files: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=authority.file)
    if files:
        made.load_cert_chain(*files)
    return made


@contextlib.contextmanager
def client(server: Any, verify: ssl.SSLContext | bool, **options: Any) -> Iterator[httpx.Client]:
    url = f"https://127.0.0.1:{server.port}"
    with httpx.Client(base_url=url, verify=verify, timeout=60, trust_env=False, **options) as made:
        yield made


def until_ready(server: Any, verify: ssl.SSLContext) -> None:
    def is_ready() -> bool:
        with client(server, verify) as probe:
            return probe.get("/v1/ready").status_code == 200

    server.wait_until(is_ready)


def tls(files: tuple[Path, Path], **more: object) -> dict[str, object]:
    return {"tls_cert_file": files[0], "tls_key_file": files[1], **more}


def test_predictions_over_tls(start: Start, authority: Authority) -> None:
    server = start(**tls(authority.issue("server")))
    trusting = context(authority)
    until_ready(server, trusting)
    with client(server, trusting) as caller:
        for text in ("a", "b" * 100_000):
            response = caller.post(PREDICT, json={"text": text})
            assert response.json()["text"] == text.upper()
            assert response.http_version == "HTTP/1.1"
        # A malformed request gets its response, too.
        assert caller.get("/v1/live", headers={"host": "a b"}).status_code == 400
        refused = caller.post(PREDICT, content=b"[" * 3_000_000)
        assert refused.status_code == 422
    with client(server, True) as wary, pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
        wary.get("/v1/live")
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain:
        plain.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert not plain.recv(100).startswith(b"HTTP")
    with contextlib.closing(raw(server, trusting)) as malformed:
        malformed.sendall(b"nonsense\r\n\r\n")
        assert malformed.recv(12) == b"HTTP/1.1 400"
    server.terminate()
    assert server.exit_code() == 0
    assert "Traceback" not in server.log


def raw(server: Any, verify: ssl.SSLContext) -> ssl.SSLSocket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    return verify.wrap_socket(connection, server_hostname="127.0.0.1")


def test_http_2_over_tls(launch: Start, authority: Authority) -> None:
    server = launch(server="hypercorn", http2=True, **tls(authority.issue("server")))
    trusting = context(authority)
    until_ready(server, trusting)
    with client(server, trusting, http2=True) as caller:
        response = caller.post(PREDICT, json={"text": "a"})
        assert (response.http_version, response.json()["text"]) == ("HTTP/2", "A")


def test_clients_need_a_certificate_and_probes_do_not(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    files = authority.issue("server")
    server = start(**tls(files, tls_client_ca_file=authority.file))
    until_ready(server, context(authority))
    with client(server, context(authority)) as nobody:
        for path in ("/v2", "/metrics", "/nothing"):
            assert nobody.get(path).status_code == 403
        refused = nobody.post(PREDICT, json={"text": "a"})
        assert refused.status_code == 403
        assert "needed" in refused.json()["detail"]
        assert nobody.get("/v1/live").status_code == 200
        # What a client says of itself doesn't count.
        assert nobody.get("/v2", headers={"x-client-cert": "alice"}).status_code == 403
    with client(server, context(authority, authority.issue("alice"))) as alice:
        assert alice.post(PREDICT, json={"text": "a"}).json()["text"] == "A"
        assert alice.get("/metrics").status_code == 200
    assert '"caller": "certificate alice"' in server.log
    strangers = Authority(tmp_path, "strangers")
    for wrong in (strangers.issue("mallory"), authority.issue("old", days=-1)):
        with (
            client(server, context(authority, wrong)) as stranger,
            pytest.raises(httpx.TransportError),
        ):
            stranger.get("/v1/live")
    assert "Traceback" not in server.log


def test_a_new_certificate_is_used_without_a_restart(start: Start, authority: Authority) -> None:
    files = authority.issue("server")
    server = start(**tls(files))
    trusting = context(authority)
    until_ready(server, trusting)

    def serial() -> str:
        with contextlib.closing(raw(server, trusting)) as connection:
            certificate = connection.getpeercert()
            assert certificate is not None
            return str(certificate["serialNumber"])

    first, sound = serial(), files[1].read_bytes()
    # A damaged file changes nothing.
    files[1].write_bytes(b"")
    server.wait_until(lambda: "The former certificate is still used" in server.log)
    assert serial() == first
    files[1].write_bytes(sound)
    authority.issue("server")
    server.wait_until(lambda: serial() != first)


def test_handshakes_end_in_time(start: Start, authority: Authority) -> None:
    server = start(receive_seconds=0.5, **tls(authority.issue("server")))
    until_ready(server, context(authority))
    connections = [
        socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(20)
    ]
    for connection in connections:
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        connection.close()


def test_a_file_that_keeps_a_server_from_starting(launch: Start, tmp_path: Path) -> None:
    empty = tmp_path / "keys.json"
    empty.touch()
    server = launch(api_keys_file=empty)
    assert server.exit_code() == 2
    *_, last = server.log.splitlines()
    assert last == f"error: The file of keys {empty} is empty; `mesh keys` writes such files."
    assert "Traceback" not in server.log


def test_a_locked_key_opens_with_its_password(launch: Start, authority: Authority) -> None:
    files = authority.issue("server", password="word")
    server = launch(**tls(files, tls_key_password="word"))
    until_ready(server, context(authority))
    assert "word" not in server.log.replace("password", "")


def test_keys_change_while_a_server_runs(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = add_key(file, "first")
    server = start(api_keys_file=file)
    server.wait_until(server.is_ready)
    with server.client() as caller:

        def status(text: str) -> int:
            found: int = caller.post(PREDICT, json={"text": "a"}, headers=bearer(text)).status_code
            return found

        assert status(first) == 200
        assert status("nonsense") == 401
        second = add_key(file, "second")
        server.wait_until(lambda: status(second) == 200)
        remove_key(file, "first")
        server.wait_until(lambda: status(first) == 401)
        assert status(second) == 200
    assert first not in server.log
    assert "Traceback" not in server.log


def test_what_is_inspected_has_a_port_of_its_own(start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start(inspect_port=port)
    server.wait_until(server.is_ready)
    with server.client() as caller:
        assert caller.get("/metrics").status_code == 404
        assert caller.post(PREDICT, json={"text": "a"}).status_code == 200
        other = f"http://127.0.0.1:{port}"
        assert caller.get(f"{other}/metrics").status_code == 200
        assert caller.get(f"{other}/v1/ready").status_code == 200
        assert caller.post(f"{other}{PREDICT}", json={"text": "a"}).status_code == 404
    server.terminate()
    assert server.exit_code() == 0


def test_an_inspected_port_that_is_taken(launch: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = launch(inspect_port=taken.getsockname()[1])
        assert server.exit_code() == 1
    assert "can't listen on" in server.log


@pytest.mark.parametrize("asks", [False, True])
def test_a_server_that_answers_anyone_says_so_once(
    launch: Start, tmp_path: Path, asks: bool
) -> None:
    file = tmp_path / "keys.json"
    add_key(file, "a")
    server = launch(host="0.0.0.0", **({"api_keys_file": file} if asks else {}))
    server.wait_until(server.is_ready)
    with server.client() as caller:
        for _ in range(3):
            caller.get("/v2")
    assert server.log.count("asks for no key") == (0 if asks else 1)


def test_a_server_on_this_machine_alone_warns_of_nothing(serve: Start) -> None:
    assert '"WARNING"' not in serve().log


def test_idle_connections_stay_longer_than_headers(serve: Start) -> None:
    server = serve(receive_seconds=0.3, keep_alive_seconds=60)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        time.sleep(1)
        for _ in range(2):
            connection.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
            while b"true" not in connection.recv(65536):
                pass
            time.sleep(1)
        # Its first byte counts as the beginning of a header.
        connection.sendall(b"G")
        assert connection.recv(100) == b""


def test_idle_connections_end(serve: Start) -> None:
    server = serve(keep_alive_seconds=0.3, receive_seconds=60)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        assert connection.recv(100) == b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while data := connection.recv(65536):
            received += data
        assert received.startswith(b"HTTP/1.1 200")


def test_containers_check_servers_with_tls(
    start: Start, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = authority.issue("server")
    server = start(**tls(files, tls_client_ca_file=authority.file))
    until_ready(server, context(authority))
    monkeypatch.setenv("SERVE_PORT", str(server.port))
    monkeypatch.setenv("SERVE_TLS_CERT_FILE", str(files[0]))
    assert healthcheck.main() == 0


def test_what_is_off_is_not_imported() -> None:
    program = (
        "import sys, mesh.serve.server, mesh.serve.uvicorn_server; "
        "from mesh.serve.settings import ServeSettings; "
        "print(*(name for name in sys.modules if name.startswith('mesh.serve.access') "
        "or name in ('jwt', 'cryptography', 'httpx')))"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert set(shown.stdout.split()) == {
        "mesh.serve.access",
        "mesh.serve.access.lists",
        "mesh.serve.access.scopes",
        "mesh.serve.access.settings",
    }
