"""Neptune's client as the registry uses it: objects, their fields, and errors in sentences."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

# Neptune's client is in no lock that programs use: a team that needs it adds it there.
import neptune  # pants: no-infer-dep
from botocore.exceptions import BotoCoreError, ClientError
from neptune import exceptions, management  # pants: no-infer-dep
from neptune.internal.backends import hosted_client  # pants: no-infer-dep

from mesh.core.errors import MeshError
from mesh.registry.reference import ModelReference
from mesh.registry.storage_errors import describe_failed_file, failed_file

READ = "read-only"
# Each call ends when the server has responded. In "async" mode a thread sends the fields, and only
# logs its failures.
WRITE = "sync"

_GONE = (
    "Neptune's own service was closed in March 2026: only a server that you run yourself can be used; "
    "else use MESH_REGISTRY_BACKEND=mlflow"
)

_CONNECTION_ERRORS = {
    "BravadoConnectionError",
    "BravadoTimeoutError",
    "CannotResolveHostname",
    "ConnectTimeout",
    "ConnectionError",
    "NeptuneConnectionLostException",
    "ReadTimeout",
}
_TOKEN_ERRORS = {"NeptuneInvalidApiTokenException", "Unauthorized", "Forbidden"}
_Opened = TypeVar("_Opened", neptune.Project, neptune.Model, neptune.ModelVersion)
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\{[a-z0-9_]+\}")


@dataclass
class Client:
    """Projects of one server.

    A model `KEYWORDS-TRAINED` is the model `TRAINED` of the project whose key is `KEYWORDS`.

    Args:
        projects: their names, such as `team/keywords`.
    """

    projects: list[str]
    token: str = field(repr=False)
    _keys: dict[str, str] = field(default_factory=dict)

    def keys(self) -> dict[str, str]:
        """The projects' names by their keys."""
        if not self._keys:
            for name in self.projects:
                with self.project(name) as project:
                    self._keys[project["sys/id"].fetch()] = name
        return self._keys

    def project_of(self, model: str) -> str:
        """The name of the project that a model belongs to.

        Raises:
            MeshError: none of the projects has its key.
        """
        key = model.rpartition("-")[0]
        if key not in self.keys():
            shown = ", ".join(f"{key} ({name})" for key, name in self.keys().items())
            raise MeshError(
                f"{model} belongs to no project of MESH_REGISTRY_URI; their keys are: {shown}."
            )
        return self.keys()[key]

    @contextlib.contextmanager
    def project(self, name: str) -> Iterator[neptune.Project]:
        """A project, for reading."""
        with _stopped(
            neptune.init_project(project=name, api_token=self.token, mode=READ)
        ) as opened:
            yield opened

    @contextlib.contextmanager
    def model(self, name: str, mode: str = READ) -> Iterator[neptune.Model]:
        """A model that exists."""
        options: dict[str, Any] = {"with_id": name, "mode": mode}
        project = self.project_of(name)
        with _stopped(
            neptune.init_model(project=project, api_token=self.token, **options)
        ) as opened:
            yield opened

    @contextlib.contextmanager
    def version(
        self, reference: ModelReference, mode: str = READ
    ) -> Iterator[neptune.ModelVersion]:
        """A version that exists; when the block ends, all writes are sent or have failed."""
        options: dict[str, Any] = {"with_id": str(reference), "mode": mode}
        project = self.project_of(reference.name)
        with _stopped(
            neptune.init_model_version(project=project, api_token=self.token, **options)
        ) as opened:
            yield opened

    def new_version(self, name: str) -> ModelReference:
        """Make a version of a model, with the next number."""
        project = self.project_of(name)
        with _stopped(
            neptune.init_model_version(
                model=name, project=project, api_token=self.token, mode=WRITE
            )
        ) as made:
            return ModelReference.parse(made["sys/id"].fetch())

    def ensure_model(self, name: str) -> None:
        """Make a model, unless there is one."""
        with contextlib.suppress(exceptions.MetadataContainerNotFound), self.model(name):
            return
        try:
            neptune.init_model(
                project=self.project_of(name),
                api_token=self.token,
                key=name.rpartition("-")[2],
                mode=WRITE,
            ).stop()
        except exceptions.NeptuneException:
            # Another process may have made it meanwhile.
            with self.model(name):
                return

    def delete(self, reference: ModelReference) -> None:
        """Delete a version for good; the client only logs a refusal of the server."""
        project, identifier = self.project_of(reference.name), str(reference)
        management.trash_objects(project, identifier, api_token=self.token)
        management.delete_objects_from_trash(project, identifier, api_token=self.token)


@contextlib.contextmanager
def _stopped(opened: _Opened) -> Iterator[_Opened]:
    """Stop an object at the end; its own `with` prints a traceback of each error that passes."""
    _limit_waiting(opened)
    try:
        yield opened
    except BaseException:
        # Unsent writes are of no use.
        opened.stop(seconds=0)
        raise
    opened.stop()


def _limit_waiting(opened: Any) -> None:
    """Limit how long moving files waits for a server's response; by default it has no limit."""
    session = opened._backend._http_client.session
    if not isinstance(session.send, partial):
        session.send = partial(session.send, timeout=hosted_client.REQUEST_TIMEOUT)


@contextlib.contextmanager
def neptune_errors(address: str) -> Iterator[None]:
    """Turn the client's errors into sentences.

    Raises:
        MeshError: instead of any of them.
    """
    try:
        yield
    # Its HTTP libraries raise OSErrors; when it tracks files, it calls S3 itself.
    except (exceptions.NeptuneException, OSError, BotoCoreError, ClientError) as error:
        if isinstance(error, OSError) and failed_file(error) is not None:
            raise MeshError(f"{describe_failed_file(error)}.") from error
        kind = type(error).__name__
        if kind in _CONNECTION_ERRORS:
            text = f"its server can't be reached ({kind}). {_GONE}"
        elif kind in _TOKEN_ERRORS:
            text = "its server refuses the token MESH_REGISTRY_TOKEN"
        elif isinstance(error, exceptions.ProjectNotFound):
            text = "one of its projects does not exist, or is not open to the user of MESH_REGISTRY_TOKEN"
        else:
            lines = [line.strip(" -\n") for line in _ESCAPES.sub("", str(error)).splitlines()]
            text = next((line for line in lines if line and " " in line), kind).rstrip(".")
        raise MeshError(f"The registry {address} failed: {text}.") from error
