"""What a load test sends, and what becomes of it: the messages between a program and its load generator."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class PlannedRequest(BaseModel):
    """One of the requests that users send.

    Args:
        path: begins with a slash.
        body: JSON text.
    """

    model_config = ConfigDict(frozen=True)

    method: Literal["GET", "POST"]
    path: str
    body: str | None = None


class LoadPlan(BaseModel):
    """A load: so many users, each of which sends the requests in turn, one after another, until the time is up.

    Args:
        url: the server's, without a path.
        spawn_rate: users that start each second.
        timeout_seconds: how long a server may be silent before a request has failed.
        think_seconds: how long a user waits between an answer and the next request.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    users: int
    spawn_rate: float
    run_seconds: float
    timeout_seconds: float
    think_seconds: float
    requests: tuple[PlannedRequest, ...]


class Exchange(BaseModel):
    """A request that was sent, and its answer.

    Args:
        request: position among the plan's requests.
        start: seconds since the first user started.
        seconds: from before the request is sent until its answer is read, or has failed.
        status: 0 without an answer.
        error: why there is no answer.
        answer: a number for each different body of answers with status 200.
        body: that body, when it is seen for the first time.
    """

    model_config = ConfigDict(frozen=True)

    request: int
    start: float
    seconds: float
    status: int
    error: str | None = None
    answer: int | None = None
    body: str | None = None
