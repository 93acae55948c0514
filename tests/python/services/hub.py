"""A hub on this machine with one repository, as far as its client asks: revisions, trees, files."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from services.http import Handler, running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""The commit of the revisions `main` and `v1`, the only ones there are."""


class HubServer(ThreadingHTTPServer):
    """A hub that has the repository `org/tiny`."""

    def __init__(self, kind: Literal["models", "datasets"], files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = f"/api/{kind}/org/tiny"
        self.resolve = f"{'' if kind == 'models' else '/datasets'}/org/tiny/resolve/{COMMIT}/"
        self.files = files

    def entries(self) -> list[dict[str, object]]:
        """The folders and files, as the hub describes them."""
        folders = sorted({name.rpartition("/")[0] for name in self.files} - {""})
        return [
            {"type": "directory", "path": name, "size": 0, "oid": _blob(name.encode())}
            for name in folders
        ] + [
            {"type": "file", "path": name, "size": len(content), "oid": _blob(content)}
            for name, content in self.files.items()
        ]

    def tree(self, folder: str, *, recursive: bool) -> list[dict[str, object]]:
        """What is in a folder."""
        start = f"{folder}/" if folder else ""
        names = ((entry, str(entry["path"])) for entry in self.entries())
        return [
            entry
            for entry, name in names
            if name.startswith(start) and (recursive or "/" not in name[len(start) :])
        ]


class _Handler(Handler):
    server: HubServer

    def do_GET(self) -> None:
        hub, url = self.server, urlsplit(self.path)
        path = unquote(url.path)
        if path in (hub.api, *(f"{hub.api}/revision/{name}" for name in ("main", "v1", COMMIT))):
            self._json({"id": "org/tiny", "sha": COMMIT, "siblings": []})
        elif path.startswith(f"{hub.api}/revision/"):
            self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"{hub.api}/tree/{COMMIT}"):
            folder = path.removeprefix(f"{hub.api}/tree/{COMMIT}").strip("/")
            self._json(hub.tree(folder, recursive="recursive" in parse_qs(url.query)))
        elif content := hub.files.get(path.removeprefix(hub.resolve)):
            headers = {"ETag": f'"{_blob(content)}"', "X-Repo-Commit": COMMIT}
            self.answer(200, content, headers)
        else:
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(body) if "=" in body else json.loads(body)
        paths = form.get("paths", [])
        self._json([entry for entry in self.server.entries() if entry["path"] in paths])

    def _json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode())


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def run_hub(kind: Literal["models", "datasets"], files: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a hub, for as long as the block lasts."""
    with running(HubServer(kind, files)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def ask(program: str, address: str, endpoint: str, home: Path) -> Any:
    """The JSON that a program prints about an address on the hub; its process has no settings of the hub but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    result = subprocess.run(
        [sys.executable, "-c", program, address],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
