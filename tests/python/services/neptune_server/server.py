"""What a stand-in of a Neptune server answers."""

import base64
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt

from services.neptune_server.contents import (
    KEYS,
    WORKSPACE,
    ApiError,
    Container,
    Contents,
    attribute,
)

_ACCESS_SECONDS = 3600


class NeptuneServer(Contents):
    """Projects `team/keywords`, `team/ner`, ... of one server.

    Args:
        url: its address, known when it listens.
    """

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.secret = "secret"
        self.requests: list[str] = []
        self._lock = threading.RLock()
        self._uploads: dict[str, dict[int, bytes]] = {}

    @property
    def token(self) -> str:
        """A token as users get it."""
        content = {"api_address": self.url, "api_url": self.url, "api_key": self.secret}
        return base64.b64encode(json.dumps(content).encode()).decode()

    @property
    def uri(self) -> str:
        """The address of the registry."""
        return f"neptune://{WORKSPACE}/{','.join(key.lower() for key in KEYS)}"

    def answer(self, operation: str, query: dict[str, str], headers: Any, body: bytes) -> Any:
        """The answer to a request: JSON, or bytes."""
        with self._lock:
            self.requests.append(operation)
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
        return {"attributes": [attribute(name, *fields[name]) for name in sorted(fields)]}

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
                    attribute(name, *container.fields[name])
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
