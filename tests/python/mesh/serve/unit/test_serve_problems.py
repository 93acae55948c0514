import gc
import weakref
from typing import Any

from mesh.serve.problems import PROBLEM, ProblemError, problem_response


class Request:
    """Held by the frames that refuse it."""


def refuse(request: Request) -> None:
    try:
        raise ValueError(request)
    except ValueError as error:
        raise ProblemError(422, "It is wrong.") from error


def respond(scope: dict[str, Any]) -> "weakref.ref[Request]":
    request = Request()
    try:
        refuse(request)
    except ProblemError as problem:
        problem_response(scope, problem)
    return weakref.ref(request)


def test_the_problem_of_a_request_does_not_keep_the_request() -> None:
    scope: dict[str, Any] = {"path": "/", "state": {"request_id": "1"}}
    gc.disable()
    try:
        assert respond(scope)() is None
    finally:
        gc.enable()
    assert scope["state"][PROBLEM].status == 422
