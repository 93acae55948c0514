import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest

from echo_model import PREDICT, Echo, Question, Serve, body, until
from mesh.serve.patience import WATCH_AFTER_SECONDS
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


@pytest.mark.parametrize("document", ["quick", "wait", "usage", "problem", "crash"])
def test_requests_need_no_search_for_garbage(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    """However they end; servers search seldom. The thread that computes holds its last one."""
    # pytest would keep the traceback that is logged.
    monkeypatch.setattr(logging.getLogger("mesh.serve.access"), "disabled", True)

    async def scenario() -> int:
        model = Echo()
        async with serve(model, threads=1) as client:
            for count in range(1, 4):
                responding = asyncio.create_task(client.post(PREDICT, json=body(document)))
                await until(lambda: len(model.computed) == count)  # noqa: B023 - it is awaited
                await asyncio.sleep(2 * WATCH_AFTER_SECONDS)
                model.gate.set()
                await responding
                model.gate.clear()
            return _questions()

    gc.collect()
    before = _questions()
    gc.disable()
    try:
        assert asyncio.run(scenario()) <= before + 1
    finally:
        gc.enable()


def _questions() -> int:
    return sum(isinstance(each, Question) for each in gc.get_objects())
