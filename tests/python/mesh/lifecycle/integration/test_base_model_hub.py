"""`hf://` addresses against a local server that speaks the hub's protocol."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"# tiny",
}
PROGRAM = """
import json, sys
from mesh.core.errors import MeshError
from mesh.lifecycle.base_model import resolve_base_model
try:
    base = resolve_base_model(sys.argv[1])
except MeshError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"files": base.files, "revision": base.source.revision}))
"""


class Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        api = "/api/models/org/tiny"
        if path in (f"{api}/revision/main", f"{api}/revision/v1"):
            self._json({"id": "org/tiny", "sha": COMMIT, "siblings": []})
        elif path.startswith(f"{api}/revision/"):
            self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif path == f"{api}/tree/{COMMIT}":
            self._json([_entry(name, content) for name, content in FILES.items()])
        elif (name := path.removeprefix(f"/org/tiny/resolve/{COMMIT}/")) in FILES:
            self._answer(
                200, FILES[name], {"ETag": f'"{_blob(FILES[name])}"', "X-Repo-Commit": COMMIT}
            )
        else:
            self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(name: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": name, "size": len(content), "oid": _blob(content)}


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def resolve(address: str, endpoint: str, home: Path) -> dict[str, object]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, address],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize(
    "address", ["hf://org/tiny", "hf://org/tiny@v1", f"hf://org/tiny@{COMMIT}"]
)
def test_safe_files_of_the_revision_are_downloaded(hub: str, tmp_path: Path, address: str) -> None:
    assert resolve(address, hub, tmp_path) == {
        "files": ["config.json", "model.safetensors"],
        "revision": COMMIT,
    }
    assert not list(tmp_path.rglob("pytorch_model.bin"))


def test_unknown_revision_is_a_sentence(hub: str, tmp_path: Path) -> None:
    assert "has no revision 'v9'" in str(resolve("hf://org/tiny@v9", hub, tmp_path)["error"])


def test_unknown_repository_is_a_sentence(hub: str, tmp_path: Path) -> None:
    assert "does not exist on the hub" in str(resolve("hf://org/other", hub, tmp_path)["error"])


def test_hub_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with contextlib.closing(ThreadingHTTPServer(("127.0.0.1", 0), Hub).socket) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert "can't be reached" in str(resolve("hf://org/tiny", endpoint, tmp_path)["error"])


def test_model_downloaded_before_is_used_when_the_hub_is_gone(hub: str, tmp_path: Path) -> None:
    first = resolve(f"hf://org/tiny@{COMMIT}", hub, tmp_path)
    assert resolve(f"hf://org/tiny@{COMMIT}", "http://127.0.0.1:9", tmp_path) == first
