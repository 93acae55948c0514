"""`hf://datasets` addresses against a local server that speaks the hub's protocol."""

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
from urllib.parse import parse_qs
from urllib.parse import unquote
from urllib.parse import urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "README.md": b"# tiny",
    "data/train.jsonl": b'{"text": "one"}\n{"text": "two"}\n',
    "data/test.csv": b"text\nthree\n",
    "loader.py": b"raise SystemExit",
}
PROGRAM = """
import json, pathlib, sys
from mesh.core.errors import MeshError
from mesh.data.formats import read_file
from mesh.data.sources import file_format, find_files
try:
    found = {}
    for file in find_files(sys.argv[1]):
        with file.local(pathlib.Path()) as path:
            rows = [row.fields["text"] for row in read_file(path, file_format(file.path))]
        found[file.name] = [file.revision, rows]
    print(json.dumps(found))
except MeshError as error:
    print(json.dumps({"error": str(error)}))
"""
API = "/api/datasets/org/tiny"
RESOLVE = f"/datasets/org/tiny/resolve/{COMMIT}/"


class Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path in (f"{API}/revision/{name}" for name in ("main", "v1", COMMIT)) or path == API:
            self._json({"id": "org/tiny", "sha": COMMIT, "siblings": []})
        elif path.startswith(f"{API}/revision/"):
            self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"{API}/tree/{COMMIT}"):
            folder = path.removeprefix(f"{API}/tree/{COMMIT}").strip("/")
            recursive = "recursive" in parse_qs(urlsplit(self.path).query)
            self._json(_tree(folder, recursive=recursive))
        elif (name := path.removeprefix(RESOLVE)) in FILES:
            headers = {"ETag": f'"{_blob(FILES[name])}"', "X-Repo-Commit": COMMIT}
            self._answer(200, FILES[name], headers)
        else:
            self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(body) if "=" in body else json.loads(body)
        paths = form.get("paths", [])
        found = [entry for entry in _everything() if entry["path"] in paths]
        self._json(found)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _everything() -> list[dict[str, object]]:
    folder: dict[str, object] = {
        "type": "directory",
        "path": "data",
        "size": 0,
        "oid": _blob(b"data"),
    }
    files = [
        {"type": "file", "path": name, "size": len(content), "oid": _blob(content)}
        for name, content in FILES.items()
    ]
    return [folder, *files]


def _tree(folder: str, *, recursive: bool) -> list[dict[str, object]]:
    return [
        entry
        for entry in _everything()
        if (below := _below(str(entry["path"]), folder)) and (recursive or "/" not in below)
    ]


def _below(path: str, folder: str) -> str:
    if not folder:
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else ""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def read(address: str, endpoint: str, home: Path) -> dict[str, object]:
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


@pytest.mark.parametrize("revision", ["", "@v1", f"@{COMMIT}"])
def test_data_files_of_a_revision_are_read_at_its_commit(
    hub: str, tmp_path: Path, revision: str
) -> None:
    assert read(f"hf://datasets/org/tiny{revision}", hub, tmp_path) == {
        f"hf://datasets/org/tiny@{COMMIT}/data/test.csv": [COMMIT, ["three"]],
        f"hf://datasets/org/tiny@{COMMIT}/data/train.jsonl": [COMMIT, ["one", "two"]],
    }


@pytest.mark.parametrize("path", ["/data/train.jsonl", "/data/tr*"])
def test_one_file_is_read_by_name_or_pattern(hub: str, tmp_path: Path, path: str) -> None:
    assert list(read(f"hf://datasets/org/tiny{path}", hub, tmp_path)) == [
        f"hf://datasets/org/tiny@{COMMIT}/data/train.jsonl"
    ]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("hf://datasets/org/tiny@v9", "has no revision 'v9'"),
        ("hf://datasets/org/other", "does not exist on the hub"),
        ("hf://datasets/org/tiny/data/missing.csv", "does not exist"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    hub: str, tmp_path: Path, address: str, sentence: str
) -> None:
    assert sentence in str(read(address, hub, tmp_path)["error"])


def test_hub_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    error = read("hf://datasets/org/tiny", "http://127.0.0.1:9", tmp_path)["error"]
    assert "can't be reached" in str(error)
