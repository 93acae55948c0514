"""Inputs behind URLs: servers with ranges and without, with names for states and without."""

import gzip
import json
import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from mesh.backfill import storage
from mesh.core.errors import MeshError, UsageError
from services.http import running
from shout_project import count_ids, manifest_of, plan, write_parquet

ROWS = [{"id": f"r{number}", "text": f"text {number} " * 30} for number in range(300)]
FLAGS = ("--output", "out", "--id", "id", "--shard-mb", "0.01")


class Plain(SimpleHTTPRequestHandler):
    """The server of Python itself, which has no ranges."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append(self.headers["Range"] or "")  # type: ignore[attr-defined]
        if self.server.failures:  # type: ignore[attr-defined]
            self.server.failures -= 1  # type: ignore[attr-defined]
            self.send_error(503)
            return
        self.get()

    def get(self) -> None:
        super().do_GET()


class Ranges(Plain):
    """A server with ranges and entity tags."""

    def get(self) -> None:
        self._send(with_content=True)

    def do_HEAD(self) -> None:
        self._send(with_content=False)

    def _send(self, *, with_content: bool) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        size = len(content)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        if wanted:
            first, last = int(wanted[1]), min(size - 1, int(wanted[2] or size - 1))
            content = content[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{size}-{path.stat().st_mtime_ns}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_content:
            self.wfile.write(content)


class Stateless(Plain):
    """A server that tells nothing of the state of a file, nor its size."""

    def get(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(path.read_bytes())

    def do_HEAD(self) -> None:
        self.send_error(405)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PAUSE", 0.001)


@pytest.fixture(params=[Plain, Ranges, Stateless])
def server(request: pytest.FixtureRequest, workspace: Path) -> Iterator[Any]:
    """A server of the folder `in`."""
    (workspace / "in").mkdir()
    server: Any = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(request.param, directory=str(workspace / "in"))
    )
    server.requests = []
    server.failures = 0
    with running(server):
        yield server
    fsspec.filesystem("http").clear_instance_cache()


def url_of(server: Any, name: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{name}"


def write_inputs(folder: Path) -> list[str]:
    """The rows in every format, each with ids of its own."""
    named = {
        name: [{**row, "id": f"{name}-{row['id']}"} for row in ROWS]
        for name in ("a.parquet", "b.jsonl", "c.jsonl.gz", "d.csv")
    }
    write_parquet(folder / "a.parquet", named["a.parquet"], 50)
    lines = "".join(f"{json.dumps(row)}\n" for row in named["b.jsonl"])
    (folder / "b.jsonl").write_text(lines)
    packed = "".join(f"{json.dumps(row)}\n" for row in named["c.jsonl.gz"])
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    table = "".join(f"{row['id']},{row['text']}\n" for row in named["d.csv"])
    (folder / "d.csv").write_text(f"id,text\n{table}")
    return list(named)


def test_every_format_is_read_over_http(server: Any, workspace: Path) -> None:
    names = write_inputs(workspace / "in")
    urls = ",".join(url_of(server, name) for name in names)
    assert plan("--input", urls, *FLAGS).run() == 0
    counts = count_ids(workspace / "out")
    assert set(counts) == {f"{name}-{row['id']}" for name in names for row in ROWS}
    assert set(counts.values()) == {1}
    manifest = manifest_of(workspace / "out")
    assert [entry.name for entry in manifest.inputs] == names
    assert len(manifest.shards) > 2 * len(names)
    assert plan("--input", urls, *FLAGS).verify() == 0

    [before] = (workspace / "out").glob("model=*")
    files = {path: path.read_bytes() for path in (before / "data").iterdir()}
    server.requests.clear()
    assert plan("--input", urls, *FLAGS).run() == 0
    assert {path: path.read_bytes() for path in (before / "data").iterdir()} == files

    (workspace / "in/b.jsonl").write_text(json.dumps({"id": "new", "text": "another text"}))
    assert plan("--input", urls, *FLAGS).run() == 0
    counts = count_ids(workspace / "out")
    assert counts["new"] == 1
    assert len(counts) == 3 * len(ROWS) + 1


def test_address_with_a_query_is_read(server: Any, workspace: Path) -> None:
    names = write_inputs(workspace / "in")
    url = url_of(server, f"{names[1]}?version=3&name=b.jsonl")
    assert plan("--input", url, *FLAGS).run() == 0
    assert len(count_ids(workspace / "out")) == len(ROWS)


def test_request_that_fails_is_made_again(server: Any, workspace: Path) -> None:
    names = write_inputs(workspace / "in")
    server.failures = 2
    assert plan("--input", url_of(server, names[1]), *FLAGS).run() == 0
    assert server.failures == 0


def test_file_that_is_missing_or_damaged_is_a_sentence(server: Any, workspace: Path) -> None:
    with pytest.raises(UsageError, match=r"none.jsonl does not exist\.$"):
        plan("--input", url_of(server, "none.jsonl"), *FLAGS)
    (workspace / "in/a.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(MeshError, match=r"a.parquet is damaged: "):
        plan("--input", url_of(server, "a.parquet"), *FLAGS)


def test_server_that_is_gone_is_a_sentence(server: Any, workspace: Path) -> None:
    names = write_inputs(workspace / "in")
    url = url_of(server, names[0])
    server.shutdown()
    server.server_close()
    with pytest.raises(MeshError, match=r"(The input|a.parquet) .*"):
        plan("--input", url, *FLAGS)
