"""The server of jobs that every Ray cluster has, by its REST interface."""

import logging
import os
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import httpx

from mesh.core.errors import MeshError, UsageError
from mesh.core.urls import mask_url, passwords

logger = logging.getLogger(__name__)

State = Literal["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]
HAS_ENDED: tuple[State, ...] = ("STOPPED", "SUCCEEDED", "FAILED")

_HERE = "http://127.0.0.1:8265"
_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
"""By which Ray's own commands find the server."""
_TIMEOUT = 30.0
_PATIENCE = 300.0
_PAUSE = 2.0


@dataclass(frozen=True)
class Job:
    """A job of the cluster.

    Args:
        message: Ray's words on its state; those of one that has failed end with what it has logged.
        has_begun: whether its command was started.
        exit_code: of its command, if that has ended.
        error: Ray's name for what went wrong.
    """

    state: State
    message: str = ""
    exit_code: int | None = None
    error: str = ""


class JobServer:
    """The server of jobs of a cluster.

    A server that doesn't answer is asked again for some minutes.

    Args:
        address: a URL, a host and port, or `auto`: what the variables of Ray name, or else this machine.

    Raises:
        UsageError: this is no address of a server of jobs.
        MeshError: the server can't be reached, or refuses the token.
    """

    def __init__(self, address: str) -> None:
        self._url = _find(address)
        self.shown = mask_url(self._url)
        self._patience = _PATIENCE
        self._client = httpx.Client(base_url=self._url, headers=_headers(), timeout=_TIMEOUT)
        self._require_ray()

    def submit(self, job: dict[str, Any]) -> None:
        """Start a job.

        Args:
            job: as the interface of Ray wants it; its `submission_id` must be new.
        """
        answer = self._ask("POST", "/api/jobs/", job)
        # A request whose answer was lost was tried again, and refused.
        if not answer.is_success and self.find(job["submission_id"]) is None:
            raise MeshError(
                f"The Ray cluster {self.shown} takes no job: {_last_line(answer.text)}."
            )

    def find(self, name: str) -> Job | None:
        """A job by its `submission_id`; None if the cluster doesn't know it."""
        answer = self._ask("GET", f"/api/jobs/{name}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        found = _json(answer)
        if found.get("status") not in get_args(State):
            raise MeshError(
                f"The Ray cluster {self.shown} doesn't tell of a job: {_last_line(answer.text)}."
            )
        return Job(
            state=found["status"],
            message=found.get("message") or "",
            exit_code=found.get("driver_exit_code"),
            error=found.get("error_type") or "",
        )

    def stop(self, name: str) -> None:
        """End a job; its command gets SIGTERM first."""
        self._ask("POST", f"/api/jobs/{name}/stop")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, content: Any = None) -> httpx.Response:
        begun = time.monotonic()
        problem = ""
        while True:
            try:
                answer = self._client.request(method, path, json=content)
            except httpx.TransportError as error:
                said = str(error) or type(error).__name__
            else:
                if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                    raise MeshError(self._refused())
                if answer.status_code not in (
                    HTTPStatus.BAD_GATEWAY,
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    HTTPStatus.GATEWAY_TIMEOUT,
                ):
                    return answer
                said = f"status {answer.status_code}"
            if not problem:
                logger.warning("the Ray cluster %s doesn't answer: %s", self.shown, said)
            problem = said
            if time.monotonic() - begun > self._patience:
                # What is asked at the end needn't wait as long again.
                self._patience = 0.0
                raise MeshError(
                    f"The Ray cluster {self.shown} hasn't answered for {_PATIENCE / 60:.0f} minutes: "
                    f"{problem}; the same command goes on with the search once it does."
                )
            time.sleep(_PAUSE)

    def _require_ray(self) -> None:
        try:
            answer = self._client.get("/api/version")
        except httpx.TransportError as error:
            raise MeshError(
                f"The Ray cluster {self.shown} can't be reached: {error or type(error).__name__}. Give "
                f"the address of its dashboard, which also takes jobs, such as {_HERE}."
            ) from error
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise MeshError(self._refused())
        if not answer.is_success or "ray_version" not in _json(answer):
            raise UsageError(
                f"{self.shown} isn't the dashboard of a Ray cluster, which also takes jobs; its usual "
                "port is 8265."
            )

    def _refused(self) -> str:
        return (
            f"The Ray cluster {self.shown} refuses the token; set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH, "
            "to that of the cluster (`ray get-auth-token` on one of its machines)."
        )


def _find(address: str) -> str:
    """The URL of the server."""
    if address == "auto":
        named = (os.environ.get(name, "") for name in _VARIABLES)
        address = next((each for each in named if each), _HERE)
    url = address if "://" in address else f"http://{address}"
    wrong = (
        f"--ray {mask_url(address)} isn't the address of a dashboard, which also takes jobs: give one "
        f"such as {_HERE}, or auto."
    )
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise UsageError(wrong)
    except ValueError as error:
        raise UsageError(wrong) from error
    if passwords(url):
        raise UsageError(f"--ray {mask_url(url)} holds a password; Ray has tokens instead.")
    return url.rstrip("/")


def _headers() -> dict[str, str]:
    """The token, found where Ray's own commands find it."""
    token = os.environ.get("RAY_AUTH_TOKEN", "").strip()
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    file = Path(named) if named else Path.home() / ".ray" / "auth_token"
    if not token:
        try:
            token = file.read_text().strip()
        except FileNotFoundError as error:
            if named:
                raise UsageError(
                    f"RAY_AUTH_TOKEN_PATH names {file}, which doesn't exist."
                ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The token of Ray in {file} can't be read.") from error
    return {"Authorization": f"Bearer {token}"} if token else {}


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it says nothing"
