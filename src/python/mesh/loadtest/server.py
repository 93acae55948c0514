"""What a server says before it is put under load."""

import logging
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.errors import MeshError
from mesh.loadtest.plan import PlannedRequest

logger = logging.getLogger(__name__)


class Bio(BaseModel):
    """The answer of `/v1/model/<name>/bio`."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_card: dict[str, Any]

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the version that is served, if it has one."""
        value = self.model_card.get("fingerprint")
        return value if isinstance(value, str) else None


class Server:
    """A running server.

    Args:
        url: without a path.
        timeout_seconds: how long it may be silent.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def require_ready(self) -> None:
        """Check that the server can answer.

        Raises:
            MeshError: it can't be reached, or says that it isn't ready.
        """
        try:
            status = self._client.get("/v1/ready").status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MeshError(
                f"There is no server at {self._url} ({error}); start it, or name another with LOAD_URL."
            ) from error
        if status != 200:
            raise MeshError(
                f"The server at {self._url} is not ready: /v1/ready answers with status {status}; "
                "wait for its model, or name another server with LOAD_URL."
            )

    def answers(self, requests: Sequence[PlannedRequest]) -> dict[int, str]:
        """The bodies of the answers to requests sent one by one, by position; those without status 200 are missing.

        Raises:
            MeshError: the server stops answering.
        """
        found = {}
        for position, request in enumerate(requests):
            headers = {"Content-Type": "application/json"} if request.body else {}
            try:
                answer = self._client.request(
                    request.method, request.path, content=request.body, headers=headers
                )
            except httpx.HTTPError as error:
                raise MeshError(
                    f"The server at {self._url} does not answer {request.method} {request.path} ({error!r}), "
                    "even without load."
                ) from error
            if answer.status_code == 200:
                found[position] = answer.text
            else:
                logger.warning(
                    "%s %s is answered with status %d, even without load",
                    *(request.method, request.path, answer.status_code),
                )
        return found


def read_bio(body: str | None) -> Bio | None:
    """What a server says of its model, if it does."""
    try:
        return Bio.model_validate_json(body) if body else None
    except ValidationError:
        return None
