"""The state of a server before it is put under load."""

import logging
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.errors import MeshError
from mesh.loadtest.plan import PlannedRequest

logger = logging.getLogger(__name__)


class Bio(BaseModel):
    """The response of `/v1/model/<name>/bio`."""

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
        timeout_seconds: silence after which a request fails.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def require_ready(self) -> None:
        """Check that the server is ready.

        Raises:
            MeshError: it can't be reached, or isn't ready.
        """
        try:
            status = self._client.get("/v1/ready").status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MeshError(
                f"There is no server at {self._url} ({error}); start it, or set LOAD_URL to another."
            ) from error
        if status != 200:
            raise MeshError(
                f"The server at {self._url} isn't ready: /v1/ready has the status {status}; "
                "wait for its model, or set LOAD_URL to another server."
            )

    def responses(self, requests: Sequence[PlannedRequest]) -> dict[int, str]:
        """The bodies of the responses with status 200 to requests sent one by one, by position.

        Raises:
            MeshError: the server stops responding.
        """
        found = {}
        for position, request in enumerate(requests):
            headers = {"Content-Type": "application/json"} if request.body else {}
            try:
                response = self._client.request(
                    request.method, request.path, content=request.body, headers=headers
                )
            except httpx.HTTPError as error:
                raise MeshError(
                    f"The server at {self._url} doesn't respond to {request.method} {request.path} ({error!r}), "
                    "even without load."
                ) from error
            if response.status_code == 200:
                found[position] = response.text
            else:
                logger.warning(
                    "%s %s has the status %d, even without load",
                    *(request.method, request.path, response.status_code),
                )
        return found


def read_bio(body: str | None) -> Bio | None:
    """A server's bio, or None if the response has none."""
    try:
        return Bio.model_validate_json(body) if body else None
    except ValidationError:
        return None
