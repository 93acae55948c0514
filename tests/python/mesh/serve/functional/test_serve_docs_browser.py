"""The docs page works in a real browser without any outside network."""

import re
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
OWN_HOSTS = {
    "accounts.google.com",
    "android.clients.google.com",
    "clients2.google.com",
    "update.googleapis.com",
}
"""Where Chromium asks for its updates and the time, whatever the page is."""


class RecordingProxy(socketserver.ThreadingTCPServer):
    """Refuses all that a browser asks of the outside world, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[str] = []

    def record(self, request_line: str) -> None:
        _, target, _ = request_line.split()
        host = urlsplit(target if "://" in target else f"//{target}").hostname
        if host not in OWN_HOSTS:
            self.asked.append(target)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refusal(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, RecordingProxy)
        self.server.record(self.rfile.readline().decode("latin-1"))
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    with RecordingProxy() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def browse(proxy: RecordingProxy, profile: Path, *arguments: str) -> str:
    command = (
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--user-data-dir={profile}",
        # By default a browser goes to the machine itself without its proxy.
        f"--proxy-server={proxy.url}",
        "--virtual-time-budget=20000",
        *arguments,
    )
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return result.stdout


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_the_docs_show_all_operations_and_ask_nothing_of_other_hosts(
    serve: Callable[..., Any], proxy: RecordingProxy, tmp_path: Path
) -> None:
    server = serve()
    page = browse(proxy, tmp_path / "profile", "--dump-dom", f"{server.url}/docs")
    shown = set(re.findall(r'data-path="([^"]+)"', page))
    with server.client() as client:
        assert shown == set(client.get("/openapi.json").json()["paths"])
    for schema in ("TinyRequest", "TinyResponse", "ProblemDetails"):
        assert schema in page
    assert "Unable to render this definition" not in page
    assert proxy.asked == []


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_the_proxy_would_notice_a_request_to_another_host(
    proxy: RecordingProxy, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://elsewhere.invalid/logo.png">')
    browse(proxy, tmp_path / "profile", "--dump-dom", page.as_uri())
    assert proxy.asked == ["http://elsewhere.invalid/logo.png"]
