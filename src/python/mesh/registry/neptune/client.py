"""What the registry needs of Neptune's own client: objects, their fields, and errors in sentences."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import neptune
from botocore.exceptions import BotoCoreError, ClientError
from neptune import management
from neptune.exceptions import MetadataContainerNotFound, NeptuneException, ProjectNotFound
from neptune.internal.backends.hosted_client import REQUEST_TIMEOUT

from mesh.core.errors import MeshError
from mesh.registry.reference import ModelReference

READ = "read-only"
# Each call ends when the server has answered it. In "async" a thread sends what is written, and only logs what fails.
WRITE = "sync"

_GONE = (
    "Neptune's own service was closed in March 2026: only a server that you run yourself can answer; "
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
        """A version that exists, by its number; when the block ends, what was written is sent or has failed."""
        options: dict[str, Any] = {"with_id": str(reference), "mode": mode}
        project = self.project_of(reference.name)
        with _stopped(
            neptune.init_model_version(project=project, api_token=self.token, **options)
        ) as opened:
            yield opened

    def new_version(self, name: str) -> ModelReference:
        """Make a version of a model, which gets the next number."""
        project = self.project_of(name)
        with _stopped(
            neptune.init_model_version(
                model=name, project=project, api_token=self.token, mode=WRITE
            )
        ) as made:
            return ModelReference.parse(made["sys/id"].fetch())

    def ensure_model(self, name: str) -> None:
        """Make a model, unless there is one."""
        with contextlib.suppress(MetadataContainerNotFound), self.model(name):
            return
        try:
            neptune.init_model(
                project=self.project_of(name),
                api_token=self.token,
                key=name.rpartition("-")[2],
                mode=WRITE,
            ).stop()
        except NeptuneException:
            # Another process may have made it meanwhile.
            with self.model(name):
                return

    def delete(self, reference: ModelReference) -> None:
        """Delete a version for good; what the server refuses is only logged by the client."""
        project, identifier = self.project_of(reference.name), str(reference)
        management.trash_objects(project, identifier, api_token=self.token)
        management.delete_objects_from_trash(project, identifier, api_token=self.token)


@contextlib.contextmanager
def _stopped(opened: _Opened) -> Iterator[_Opened]:
    """Stop an object at the end; its own `with` prints a traceback of each error that passes through it."""
    _limit_waiting(opened)
    try:
        yield opened
    except BaseException:
        # What still waits to be sent is of no use.
        opened.stop(seconds=0)
        raise
    opened.stop()


def _limit_waiting(opened: Any) -> None:
    """Let moving files end in an error, too, where the server does not answer: its client would wait for ever."""
    session = opened._backend._http_client.session
    if not isinstance(session.send, partial):
        session.send = partial(session.send, timeout=REQUEST_TIMEOUT)


@contextlib.contextmanager
def neptune_errors(address: str) -> Iterator[None]:
    """Turn what the client raises into a sentence.

    Raises:
        MeshError: instead of any of it.
    """
    try:
        yield
    # What its HTTP libraries raise are OSErrors; when it tracks files, it asks S3 itself.
    except (NeptuneException, OSError, BotoCoreError, ClientError) as error:
        kind = type(error).__name__
        if kind in _CONNECTION_ERRORS:
            text = f"its server can't be reached ({kind}). {_GONE}"
        elif kind in _TOKEN_ERRORS:
            text = "its server refuses the token MESH_REGISTRY_TOKEN"
        elif isinstance(error, ProjectNotFound):
            text = (
                "one of its projects does not exist, or is not for the user of MESH_REGISTRY_TOKEN"
            )
        else:
            lines = [line.strip(" -\n") for line in _ESCAPES.sub("", str(error)).splitlines()]
            text = next((line for line in lines if line and " " in line), kind).rstrip(".")
        raise MeshError(f"The registry {address} failed: {text}.") from error
