"""A stand-in of a Neptune server: real HTTP, objects in memory."""

import base64
import datetime
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import jwt

from services.neptune_server import specification

WORKSPACE = "team"
KEYS = ("KEYWORDS", "NER", "A", "B")
_ACCESS_SECONDS = 3600
_SPECIFICATIONS = {
    "backend": specification.BACKEND,
    "leaderboard": specification.LEADERBOARD,
    "artifacts": specification.ARTIFACTS,
}


class ApiError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, error_type: str = "") -> None:
        super().__init__(error_type)
        self.status = status
        self.error_type = error_type


@dataclass
class Container:
    """A project, model or version: its fields, and the content of those that are files."""

    id: str
    type: str
    short_id: str
    project: str
    parent: str
    trashed: bool = False
    versions: int = 0
    fields: dict[str, tuple[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class NeptuneServer:
    """Projects `team/keywords`, `team/ner`, ... of one server.

    Args:
        url: its address, known when it listens.
    """

    def __init__(self) -> None:
        self.url = ""
        self.secret = "secret"
        self.requests: list[str] = []
        self.faults: list[int] = []
        self._lock = threading.RLock()
        self._containers: dict[str, Container] = {}
        self._uploads: dict[str, dict[int, bytes]] = {}
        self._tracked: dict[tuple[str, str], list[Any]] = {}
        self.clear()

    @property
    def token(self) -> str:
        """A token as users get it."""
        content = {"api_address": self.url, "api_url": self.url, "api_key": self.secret}
        return base64.b64encode(json.dumps(content).encode()).decode()

    @property
    def uri(self) -> str:
        """The address of the registry."""
        return f"neptune://{WORKSPACE}/{','.join(key.lower() for key in KEYS)}"

    def clear(self) -> None:
        """Forget everything but the projects."""
        self._containers.clear()
        self._tracked.clear()
        for key in KEYS:
            self._add("project", key, key.lower(), "")

    def paths(self) -> list[str]:
        """All files, as id of the object and field."""
        return [f"{c.short_id}:{name}" for c in self._containers.values() for name in c.files]

    def read(self, path: str) -> bytes:
        """A file's content."""
        container, name = self._file(path)
        return container.files[name]

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""
        container, name = self._file(path)
        self._store(container, name, content)

    def remove(self, path: str) -> None:
        """Remove a file."""
        container, name = self._file(path)
        del container.files[name], container.fields[name]

    def _file(self, path: str) -> tuple[Container, str]:
        short_id, _, name = path.partition(":")
        return self._get(short_id), name

    def _store(self, container: Container, name: str, content: bytes) -> None:
        container.files[name] = content
        container.fields[name] = ("file", {"name": name, "ext": "", "size": len(content)})

    def _add(self, kind: str, short_id: str, project: str, parent: str) -> Container:
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        container = Container(str(uuid.uuid4()), kind, short_id, project, parent)
        container.fields["sys/id"] = ("string", short_id)
        container.fields["sys/creation_time"] = ("datetime", created.replace("+00:00", "Z"))
        if kind == "modelVersion":
            container.fields["sys/model_id"] = ("string", self._containers[parent].short_id)
        self._containers[container.id] = container
        return container

    def _get(self, identifier: str) -> Container:
        """By id, short id, or `workspace/project/short id`."""
        name = identifier.rpartition("/")[2]
        for container in self._containers.values():
            if name in (container.id, container.short_id):
                return container
        raise ApiError(404, "EXPERIMENT_NOT_FOUND")

    def answer(self, operation: str, query: dict[str, str], headers: Any, body: bytes) -> Any:
        """The answer to a request: JSON, or bytes."""
        with self._lock:
            self.requests.append(operation)
            if self.faults:
                raise ApiError(self.faults.pop(0))
            handler: Callable[..., Any] | None = getattr(self, f"do_{operation}", None)
            if handler is None:
                raise ApiError(501)
            if operation in ("getClientConfig", "exchangeApiToken", "token"):
                return handler(headers)
            if not (headers["Authorization"] or "").startswith("Bearer "):
                raise ApiError(401)
            return handler(query, headers, body)

    def _check_token(self, headers: Any) -> None:
        if headers["X-Neptune-Api-Token"] != self.token:
            raise ApiError(401)

    def do_getClientConfig(self, headers: Any) -> Any:
        self._check_token(headers)
        parts = {"minChunkSize": 1_000_000, "maxChunkSize": 1_000_000, "maxChunkCount": 1000}
        return {
            "apiUrl": self.url,
            "applicationUrl": self.url,
            "pyLibVersions": {},
            "artifacts": {"enabled": True, "apiVersion": 2},
            "multiPartUpload": {"enabled": True, "maxSinglePartSize": 1_000_000, **parts},
        }

    def do_exchangeApiToken(self, headers: Any) -> Any:
        self._check_token(headers)
        access = self._access()
        return {"accessToken": access, "refreshToken": access}

    def do_token(self, _headers: Any) -> Any:
        access = self._access()
        return {"access_token": access, "refresh_token": access, "token_type": "Bearer"}

    def _access(self) -> str:
        claims = {"exp": time.time() + _ACCESS_SECONDS, "azp": "client", "iss": self.url}
        return jwt.encode(claims, "0" * 32, algorithm="HS256")

    def do_getProject(self, query: dict[str, str], *_: Any) -> Any:
        for container in self._containers.values():
            named = f"{WORKSPACE}/{container.project}"
            if container.type == "project" and query["projectIdentifier"] in (named, container.id):
                return {
                    "id": container.id,
                    "name": container.project,
                    "organizationName": WORKSPACE,
                    "projectKey": container.short_id,
                    "version": 2,
                }
        raise ApiError(404)

    def do_listProjects(self, *_: Any) -> Any:
        return {"entries": []}

    def do_listOrganizations(self, *_: Any) -> Any:
        return [{"id": WORKSPACE, "name": WORKSPACE}]

    def do_getExperiment(self, query: dict[str, str], *_: Any) -> Any:
        return self._describe(self._get(query["experimentId"]))

    def _describe(self, container: Container) -> Any:
        return {
            "id": container.id,
            "type": container.type,
            "shortId": container.short_id,
            "organizationName": WORKSPACE,
            "projectName": container.project,
            "trashed": container.trashed,
        }

    def do_createExperiment(self, _query: Any, _headers: Any, body: bytes) -> Any:
        asked = json.loads(body)
        parent = self._get(asked["parentId"])
        siblings = [c for c in self._containers.values() if c.parent == parent.id]
        key = asked.get("key")
        if not key:
            # A number is not given again when its version is deleted.
            parent.versions += 1
            key = str(parent.versions)
        short_id = f"{parent.short_id}-{key}"
        if any(sibling.short_id == short_id for sibling in siblings):
            raise ApiError(409)
        return self._describe(self._add(asked["type"], short_id, parent.project, parent.id))

    def do_trashExperiments(self, _query: Any, _headers: Any, body: bytes) -> Any:
        names = json.loads(body)
        for name in names:
            self._get(name).trashed = True
        return {"errors": [], "updatedExperimentIdentifiers": names}

    def do_deleteExperiments(self, _query: Any, _headers: Any, body: bytes) -> Any:
        found = [self._get(name) for name in json.loads(body)]
        deleted = [container for container in found if container.trashed]
        for container in deleted:
            del self._containers[container.id]
        errors = [{"errorDescription": "not in the trash"}] * (len(found) - len(deleted))
        return {"errors": errors, "updatedExperimentIdentifiers": [c.short_id for c in deleted]}

    def do_ping(self, *_: Any) -> Any:
        return {}

    def do_executeOperations(self, query: dict[str, str], _headers: Any, body: bytes) -> Any:
        container = self._get(query["experimentId"])
        for operation in json.loads(body):
            path = operation["path"]
            if "assignString" in operation:
                container.fields[path] = ("string", operation["assignString"]["value"])
            elif "assignInt" in operation:
                container.fields[path] = ("int", operation["assignInt"]["value"])
            elif "assignArtifact" in operation:
                container.fields[path] = ("artifact", operation["assignArtifact"])
            else:
                raise ApiError(422)
        return []

    def do_getExperimentAttributes(self, query: dict[str, str], *_: Any) -> Any:
        fields = self._get(query["experimentId"]).fields
        return {"attributes": [_attribute(name, *fields[name]) for name in sorted(fields)]}

    def _value(self, query: dict[str, str]) -> tuple[str, Any]:
        fields = self._get(query["experimentId"]).fields
        if query["attribute"] not in fields:
            raise ApiError(404)
        return fields[query["attribute"]]

    def do_getStringAttribute(self, query: dict[str, str], *_: Any) -> Any:
        return {"value": self._value(query)[1]}

    do_getIntAttribute = do_getDatetimeAttribute = do_getStringAttribute

    def do_getFileAttribute(self, query: dict[str, str], *_: Any) -> Any:
        return self._value(query)[1]

    do_getArtifactAttribute = do_getFileAttribute

    def do_createNewArtifact(self, query: dict[str, str], *_: Any) -> Any:
        """What has one hash is one artifact of its project, wherever it was tracked first."""
        files = self._tracked.setdefault((query["projectIdentifier"], query["hash"]), [])
        return self._describe_artifact(query["hash"], files)

    def do_uploadArtifactFilesMetadata(
        self, query: dict[str, str], _headers: Any, body: bytes
    ) -> Any:
        files = json.loads(body)["files"]
        self._tracked[query["projectIdentifier"], query["hash"]] = files
        return self._describe_artifact(query["hash"], files)

    def _describe_artifact(self, digest: str, files: list[Any]) -> Any:
        size = sum(file["size"] for file in files)
        return {"artifactHash": digest, "receivedMetadata": bool(files), "size": size}

    def do_listArtifactFiles(self, query: dict[str, str], *_: Any) -> Any:
        place = query["projectIdentifier"], query["hash"]
        if place not in self._tracked:
            raise ApiError(404)
        return {"files": self._tracked[place]}

    def do_downloadAttribute(self, query: dict[str, str], *_: Any) -> Any:
        self._value(query)
        return self._get(query["experimentId"]).files[query["attribute"]]

    def do_searchLeaderboardAttributes(self, *_: Any) -> Any:
        return {"entries": [{"name": "sys/id", "type": "string"}]}

    def do_searchLeaderboardEntries(self, query: dict[str, str], _headers: Any, body: bytes) -> Any:
        asked = json.loads(body)
        project = self._get(query["projectIdentifier"]).project
        wanted = re.search(r'`?sys/model_id`?:string = "([^"]*)"', asked["query"]["query"])
        found = [
            container
            for container in self._containers.values()
            if container.type == query["type"]
            and not container.trashed
            and container.project == project
            and (not wanted or container.fields["sys/model_id"][1] == wanted[1])
        ]
        paths = {column["path"] for column in asked.get("attributeFilters", [])}
        start = asked["pagination"]["offset"]
        page = found[start : start + asked["pagination"]["limit"]]
        entries = [
            {
                "experimentId": container.id,
                "attributes": [
                    _attribute(name, *container.fields[name])
                    for name in sorted(paths & container.fields.keys())
                ],
            }
            for container in page
        ]
        return {"entries": entries, "matchingItemCount": len(found)}

    def do_fileAtomUpload(self, query: dict[str, str], _headers: Any, body: bytes) -> Any:
        self._store(self._get(query["experimentIdentifier"]), query["attribute"], body)
        return {"errors": []}

    def do_fileAtomMultipartUploadStart(self, *_: Any) -> Any:
        upload = str(uuid.uuid4())
        self._uploads[upload] = {}
        return {"uploadId": upload, "errors": []}

    def do_fileAtomMultipartUploadPart(
        self, query: dict[str, str], headers: Any, body: bytes
    ) -> Any:
        first, last = map(int, re.findall(r"\d+", headers["X-Range"])[:2])
        if last - first + 1 != len(body):
            raise ApiError(400)
        self._uploads[query["uploadId"]][first] = body
        return {"errors": []}

    def do_fileAtomMultipartUploadFinish(self, query: dict[str, str], *_: Any) -> Any:
        parts = self._uploads.pop(query["uploadId"])
        content = b"".join(parts[first] for first in sorted(parts))
        self._store(self._get(query["experimentIdentifier"]), query["attribute"], content)
        return {"uploadId": query["uploadId"], "errors": []}


def _attribute(name: str, kind: str, value: Any) -> Any:
    properties = value if kind in ("file", "artifact") else {"value": value}
    return {"name": name, "type": kind, f"{kind}Properties": properties}


@contextmanager
def run_neptune() -> Iterator[NeptuneServer]:
    """A server that listens until the block ends."""
    state = NeptuneServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else each body waits until the client has acknowledged the headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path.endswith("/swagger.json"):
                spec = _SPECIFICATIONS[path.path.split("/")[2]]
                host = {"host": urlsplit(state.url).netloc, "schemes": ["http"]}
                return self._send(200, json.dumps(spec | host).encode())
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            query = {name: values[0] for name, values in parse_qs(path.query, True).items()}
            try:
                answer = state.answer(path.path.rpartition("/")[2], query, self.headers, body)
            except ApiError as error:
                content = {"errorType": error.error_type, "title": "refused"}
                return self._send(error.status, json.dumps(content).encode())
            if isinstance(answer, bytes):
                return self._send(200, answer, "application/octet-stream")
            return self._send(200, json.dumps(answer).encode())

        do_POST = do_PUT = do_GET

        def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
