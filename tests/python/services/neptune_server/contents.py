"""What a Neptune server holds: objects with fields, and files; in memory."""

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

WORKSPACE = "team"
KEYS = ("KEYWORDS", "NER", "A", "B")


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


class Contents:
    """Projects `team/keywords`, `team/ner`, ... with their models and versions, and what is tracked in them."""

    def __init__(self) -> None:
        self._containers: dict[str, Container] = {}
        self._tracked: dict[tuple[str, str], list[Any]] = {}
        self.clear()

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


def attribute(name: str, kind: str, value: Any) -> Any:
    """A field as it is answered."""
    properties = value if kind in ("file", "artifact") else {"value": value}
    return {"name": name, "type": kind, f"{kind}Properties": properties}
