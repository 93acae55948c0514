"""GCS on this machine: the part of its JSON interface that file systems use, over HTTP."""

import hashlib
import itertools
import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from services.http import Handler, running

BUCKET = "news"


class GcsServer(ThreadingHTTPServer):
    """A bucket.

    Attributes:
        objects: content and generation of each.
        requests: method and path of each.
        refusals: so many requests get status 503.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _GcsHandler)
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.requests: list[str] = []
        self.refusals = 0
        self.generations = itertools.count(1)
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address, for `STORAGE_EMULATOR_HOST`."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def write(self, name: str, content: bytes) -> None:
        """Put an object."""
        self.objects[name] = content, next(self.generations)

    def describe(self, name: str) -> dict[str, Any]:
        """The resource of an object, as the interface has it."""
        content, generation = self.objects[name]
        return {
            "kind": "storage#object",
            "bucket": BUCKET,
            "name": name,
            "size": str(len(content)),
            "generation": str(generation),
            "md5Hash": b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
            "etag": f"CJ{generation}",
            "updated": "2026-01-01T00:00:00.000Z",
            "timeCreated": "2026-01-01T00:00:00.000Z",
        }


@contextmanager
def run_gcs() -> Iterator[GcsServer]:
    """Serve a bucket as long as the block lasts."""
    with running(GcsServer()) as server:
        yield server


class _GcsHandler(Handler):
    server: GcsServer

    def do_GET(self) -> None:
        if self._is_refused():
            return
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.rstrip("/") == f"/storage/v1/b/{BUCKET}/o":
            self._list(query)
            return
        name = self._name(url.path)
        if name not in self.server.objects:
            self.answer(404, b'{"error": {"code": 404, "message": "Not Found"}}')
        elif query.get("alt") == "media":
            self._send(self.server.objects[name][0])
        else:
            self._say(self.server.describe(name))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self._is_refused():
            return
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if query.get("uploadType") == "multipart":
            boundary = self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
            _, metadata, content = body.split(b"--" + boundary, 2)
            name = json.loads(metadata.split(b"\n\n", 1)[1])["name"]
            content = content.split(b"\n\n", 1)[1].removesuffix(b"\n--" + boundary + b"--")
            self.server.write(name, content)
            self._say(self.server.describe(name))
        elif query.get("uploadType") == "resumable":
            key = f"upload{len(self.server.uploads)}"
            self.server.uploads[key] = json.loads(body)["name"], bytearray()
            self.answer(200, b"{}", {"Location": f"{self.server.url}/resume/{key}"})
        else:
            self._resume(url.path.rpartition("/")[2], body)

    def do_DELETE(self) -> None:
        if self._is_refused():
            return
        name = self._name(urlsplit(self.path).path)
        if self.server.objects.pop(name, None) is None:
            self.answer(404, b'{"error": {"code": 404, "message": "Not Found"}}')
        else:
            self.answer(204, b"")

    def _resume(self, key: str, body: bytes) -> None:
        name, content = self.server.uploads[key]
        content += body
        if int(self.headers["Content-Range"].rpartition("/")[2]) == len(content):
            self.server.write(name, bytes(content))
            self._say(self.server.describe(name))
        else:
            self.answer(308, b"", {"Range": f"bytes=0-{len(content) - 1}"})

    def _list(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        items, prefixes = [], set()
        for name in sorted(self.server.objects):
            rest = name.removeprefix(prefix)
            if not name.startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                prefixes.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                items.append(self.server.describe(name))
        self._say({"kind": "storage#objects", "items": items, "prefixes": sorted(prefixes)})

    def _send(self, content: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        if not wanted:
            self.answer(200, content, {"Content-Type": "application/octet-stream"})
            return
        size = len(content)
        first, last = int(wanted[1]), min(size - 1, int(wanted[2] or size - 1))
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {first}-{last}/{size}",
        }
        self.answer(206, content[first : last + 1], headers)

    def _is_refused(self) -> bool:
        with self.server.lock:
            self.server.requests.append(f"{self.command} {self.path}")
            if not self.server.refusals:
                return False
            self.server.refusals -= 1
        self.answer(503, b'{"error": {"code": 503, "message": "Try again"}}')
        return True

    @staticmethod
    def _name(path: str) -> str:
        return unquote(path.partition("/o/")[2])

    def _say(self, content: Any) -> None:
        self.answer(200, json.dumps(content).encode())
