"""The state of a server before it is put under load."""

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.errors import MeshError, as_clause
from mesh.core.precisions import Precision
from mesh.loadtest.own_times import served_model
from mesh.loadtest.plan import PlannedRequest, key_header

logger = logging.getLogger(__name__)


class Bio(BaseModel):
    """The response of `/v1/model/<name>/bio`."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_card: dict[str, Any]
    runs_on: tuple[str, ...] = ()
    precision: Precision | None = None

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
        ca_file: certificates of the authorities to trust, in PEM; None for the system's.
        key: that the server asks for.
        url_setting: what errors advise to set to another URL.
        ca_setting: what they advise to set to a file of certificates.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float,
        ca_file: Path | None = None,
        key: str | None = None,
        *,
        url_setting: str = "LOAD_URL",
        ca_setting: str = "LOAD_CA_FILE",
    ) -> None:
        self._url = url
        self._url_setting = url_setting
        self._ca_setting = ca_setting
        self._client = httpx.Client(
            base_url=url,
            headers=key_header(key),
            timeout=timeout_seconds,
            trust_env=False,
            verify=ssl.create_default_context(cafile=ca_file),
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def require_ready(self) -> None:
        """Check that the server is ready.

        Raises:
            MeshError: it can't be reached, its certificate isn't trusted, or it isn't ready.
        """
        try:
            status = self._client.get("/v1/ready").status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise MeshError(
                    f"The certificate of {self._url} isn't trusted ({error}); set {self._ca_setting} to "
                    "the certificate of its authority."
                ) from error
            raise MeshError(
                f"There is no server at {self._url} ({error}); start it, or set {self._url_setting} to "
                "another."
            ) from error
        if status != 200:
            raise MeshError(
                f"The server at {self._url} isn't ready: /v1/ready has the status {status}; "
                f"wait for its model, or set {self._url_setting} to another server."
            )

    def bio(self, request: PlannedRequest, name: str) -> Bio:
        """The bio of the model that the server serves.

        Raises:
            MeshError: it serves another model, or none.
        """
        try:
            response = self._client.request(request.method, request.path)
        except httpx.HTTPError as error:
            raise MeshError(f"The server at {self._url} sends no bio ({error!r}).") from error
        if response.status_code in (401, 403):
            raise MeshError(
                f"The server at {self._url} asks for a key with the scopes predict and inspect "
                f"(status {response.status_code}); set LOAD_API_KEY."
            )
        bio = _read_bio(response.text) if response.status_code == 200 else None
        if bio is None or bio.model_name != name:
            found = f"serves {bio.model_name}" if bio else f"has no bio at {request.path}"
            raise MeshError(
                f"The server at {self._url} doesn't serve {name}: it {found}; set {self._url_setting} "
                f"to a server of {name}."
            )
        return bio

    def model_name(self) -> str:
        """The name of the model that the server serves, by its metrics.

        Raises:
            MeshError: they don't say.
        """
        try:
            return served_model(self.metrics())
        except MeshError as error:
            raise MeshError(
                f"The server at {self._url} doesn't say what it serves: {as_clause(error)}; set "
                f"{self._url_setting} to a server of the mesh."
            ) from error

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

    def metrics(self) -> str:
        """The server's metrics in Prometheus' format.

        Raises:
            MeshError: it sends none.
        """
        try:
            response = self._client.get("/metrics", headers={"Accept": "text/plain"})
        except httpx.HTTPError as error:
            raise MeshError(f"its metrics can't be read ({type(error).__name__})") from error
        if response.status_code != 200:
            raise MeshError(f"/metrics has the status {response.status_code}")
        return response.text


def _read_bio(body: str) -> Bio | None:
    try:
        return Bio.model_validate_json(body)
    except ValidationError:
        return None
