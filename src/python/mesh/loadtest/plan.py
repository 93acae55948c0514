"""Requests and exchanges: the messages between a program and its load generator."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

KEY_VARIABLE = "LOAD_API_KEY"
"""The variable with the key, for the generator too."""


class PlannedRequest(BaseModel):
    """A request that users send.

    Args:
        path: begins with a slash.
        body: JSON text.
    """

    model_config = ConfigDict(frozen=True)

    method: Literal["GET", "POST"]
    path: str
    body: str | None = None


class LoadPlan(BaseModel):
    """A load: each user sends the requests in turn, one after another, until the time is up.

    Args:
        url: of the server, without a path.
        spawn_rate: users that start each second.
        timeout_seconds: silence of the server after which a request fails.
        think_seconds: a user's pause between a response and the next request.
        ca_file: certificates of the authorities to trust, in PEM; None for the system's.
        api_key: the key or token that the server asks for; it is no part of what is written.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    users: int
    spawn_rate: float
    run_seconds: float
    timeout_seconds: float
    think_seconds: float
    ca_file: Path | None = None
    api_key: SecretStr | None = Field(None, exclude=True)
    requests: tuple[PlannedRequest, ...]


def key_header(key: str | None) -> dict[str, str]:
    """The header by which a request has a key; none without a key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


class Exchange(BaseModel):
    """A request and its response.

    Args:
        request: position among the plan's requests.
        start: seconds since the first user started.
        seconds: from before the request is sent until its response is read, or has failed.
        status: 0 without a response.
        error: the reason for a missing response.
        response: a number for each distinct body of responses with status 200.
        body: that body, at its first occurrence.
    """

    model_config = ConfigDict(frozen=True)

    request: int
    start: float
    seconds: float
    status: int
    error: str | None = None
    response: int | None = None
    body: str | None = None


class GeneratorFigures(BaseModel):
    """What a load generator says of itself at its end.

    Args:
        users_started: users that sent requests.
        processor: fraction of one core that it used, in user and system time.
        lag_p50_ms: median delay of its timers, in milliseconds; it grows with what else it has to do.
        lag_max_ms: the longest one.
        connections_reopened: kept connections that the server had closed between two requests.
        connections_refused_here: connections that this machine refused, for lack of files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    users_started: int
    processor: float
    lag_p50_ms: float
    lag_max_ms: float
    connections_reopened: int
    connections_refused_here: int
