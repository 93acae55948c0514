"""The docs page works in a real browser without any outside network."""

import contextlib
import json
import os
import re
import shutil
import socketserver
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mesh.serve.documents import EXAMPLE_TEXT
from services.http import running

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
OWN_HOSTS = {
    "accounts.google.com",
    "android.clients.google.com",
    "clients2.google.com",
    "update.googleapis.com",
}
"""The hosts that Chromium calls for updates and the time on any page."""


class RecordingProxy(socketserver.ThreadingTCPServer):
    """Refuses all requests of a browser to other hosts, and remembers them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.requested: list[str] = []

    def record(self, request_line: str) -> None:
        _, target, _ = request_line.split()
        host = urlsplit(target if "://" in target else f"//{target}").hostname
        if host not in OWN_HOSTS:
            self.requested.append(target)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refusal(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, RecordingProxy)
        self.server.record(self.rfile.readline().decode("latin-1"))
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


class Prefixing(BaseHTTPRequestHandler):
    """Passes what is below a prefix on to a server, without the prefix, as proxies do."""

    prefix = "/ml/tiny"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.startswith(f"{self.prefix}/"):
            self.send_error(404)
            return
        # The names of its fields are the proxy's own.
        sent = {
            name: self.headers[name] for name in ("Accept", "Content-Type") if self.headers[name]
        }
        path = self.path.removeprefix(self.prefix)
        with httpx.Client(base_url=self.server.target, trust_env=False) as client:  # type: ignore[attr-defined]
            response = client.request(self.command, path, content=body, headers=sent)
        self.send_response(response.status_code)
        for name in ("Content-Type", "Content-Security-Policy"):
            if name in response.headers:
                self.send_header(name, response.headers[name])
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def behind_a_prefix(url: str) -> Iterator[str]:
    """The URL of a server behind a proxy that adds a prefix."""
    front = ThreadingHTTPServer(("127.0.0.1", 0), Prefixing)
    front.target = url  # type: ignore[attr-defined]
    # The end waits for them, so that none calls a server that is gone.
    front.daemon_threads = False
    with running(front):
        yield f"http://127.0.0.1:{front.server_port}{Prefixing.prefix}"


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    with running(RecordingProxy()) as server:
        yield server


def command_line(proxy: RecordingProxy, profile: Path, *arguments: str) -> list[str]:
    return [
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
        f"--proxy-server={proxy.url}",
        *arguments,
    ]


def dump(proxy: RecordingProxy, profile: Path, url: str) -> str:
    """The page as HTML, after its scripts ran."""
    command = command_line(proxy, profile, "--virtual-time-budget=20000", "--dump-dom", url)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def evaluate(proxy: RecordingProxy, profile: Path, url: str, script: str) -> Any:
    """The value that a promise yields on the page, by the DevTools protocol over a pair of pipes."""
    to_browser, commands = os.pipe()
    responses, from_browser = os.pipe()

    def connect() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)

    with subprocess.Popen(
        command_line(proxy, profile, "--remote-debugging-pipe", "about:blank"),
        preexec_fn=connect,  # The protocol's file numbers are fixed.
        close_fds=False,
        stderr=subprocess.DEVNULL,
    ):
        os.close(to_browser)
        os.close(from_browser)
        with os.fdopen(commands, "wb", 0) as writer, os.fdopen(responses, "rb") as reader:

            def call(method: str, session: str | None = None, **params: Any) -> Any:
                message = {"id": 1, "method": method, "params": params, "sessionId": session}
                message = {key: value for key, value in message.items() if value is not None}
                writer.write(json.dumps(message).encode() + b"\0")
                while True:
                    data = bytearray()
                    while (byte := reader.read(1)) != b"\0":
                        assert byte, "the browser ended"
                        data += byte
                    response = json.loads(data)
                    if "id" in response:
                        return response.get("result", {})

            target = call("Target.createTarget", url=url)["targetId"]
            session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

            def value_of(expression: str) -> Any:
                options = {"awaitPromise": True, "returnByValue": True}
                response = call("Runtime.evaluate", session, expression=expression, **options)
                return response.get("result", {}).get("value")

            # Until then, expressions are evaluated on the blank page that the target starts with.
            try:
                while value_of("document.readyState + location.href") != f"complete{url}":
                    pass
                value = value_of(script)
            finally:
                call("Browser.close")
    return value


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_the_docs_show_all_operations_and_call_no_other_host(
    serve: Callable[..., Any], proxy: RecordingProxy, tmp_path: Path
) -> None:
    server = serve()
    page = dump(proxy, tmp_path / "profile", f"{server.url}/docs")
    shown = set(re.findall(r'data-path="([^"]+)"', page))
    with server.client() as client:
        assert shown == set(client.get("/openapi.json").json()["paths"])
    for schema in ("TinyRequest", "TinyResponse", "ProblemDetails"):
        assert schema in page
    assert "Unable to render this definition" not in page
    assert proxy.requested == []


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_the_proxy_would_notice_a_request_to_another_host(
    proxy: RecordingProxy, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://elsewhere.invalid/logo.png">')
    dump(proxy, tmp_path / "profile", page.as_uri())
    assert proxy.requested == ["http://elsewhere.invalid/logo.png"]


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
@pytest.mark.parametrize("front", [contextlib.nullcontext, behind_a_prefix])
def test_the_example_can_be_executed_on_the_page(
    serve: Callable[..., Any],
    proxy: RecordingProxy,
    tmp_path: Path,
    front: Callable[[str], contextlib.AbstractContextManager[str]],
) -> None:
    server = serve()
    script = """(async () => {
        const until = async condition => {
            while (!condition()) await new Promise(resolve => setTimeout(resolve, 20));
            return condition();
        };
        const find = selector => document.querySelector("#operations-model-predict " + selector);
        await until(() => find(".execute") && find("textarea")?.value);
        // The page ignores clicks until its own state has the example.
        await until(() => find(".execute").click() || find(".live-responses-table .response"));
        return find(".live-responses-table .response").innerText;
    })()"""
    with front(server.url) as url:
        shown = evaluate(proxy, tmp_path / "profile", f"{url}/docs#/model/predict", script)
    assert shown.startswith("200")
    assert EXAMPLE_TEXT.upper() in shown
    assert set(server.computed) == {EXAMPLE_TEXT}
