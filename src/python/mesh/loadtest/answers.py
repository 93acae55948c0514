"""Whether an answer is right: fits its model, has an output for each input, and is the one given before the load."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from mesh.core.errors import describe_invalid
from mesh.loadtest.plan import Exchange, PlannedRequest

TOLERANCE = 1e-3
"""How far numbers of equal answers may be apart: computed in another batch, the last digits of a score differ."""

WRONG = "wrong answer: not the one given before the load"
NO_REFERENCE = "no right answer to this request was given before the load"


class AnswerCheck:
    """Checks answers to a plan's requests.

    Args:
        models: what answers must fit, by path.
        references: bodies of the answers given before the load, by the request's position.
    """

    def __init__(
        self,
        requests: Sequence[PlannedRequest],
        models: Mapping[str, type[BaseModel]],
        references: Mapping[int, str],
    ) -> None:
        self._requests = requests
        self._models = models
        self._references = {
            position: json.loads(body)
            for position, body in references.items()
            if self._problem(position, body) is None
        }
        self._bodies: dict[int, str] = {}
        self._checked: dict[tuple[int, int], str | None] = {}

    def failure(self, exchange: Exchange) -> str | None:
        """Why a request failed, or None; exchanges must come in their order, since a body comes once."""
        if exchange.error is not None:
            return exchange.error
        if exchange.status != 200 or exchange.answer is None:
            return f"status {exchange.status}"
        if exchange.body is not None:
            self._bodies[exchange.answer] = exchange.body
        key = (exchange.request, exchange.answer)
        if key not in self._checked:
            self._checked[key] = self._check(exchange.request, self._bodies[exchange.answer])
        return self._checked[key]

    def _check(self, position: int, body: str) -> str | None:
        if problem := self._problem(position, body):
            return problem
        if position not in self._references:
            return NO_REFERENCE
        return None if equal(self._references[position], json.loads(body)) else WRONG

    def _problem(self, position: int, body: str) -> str | None:
        request = self._requests[position]
        model = self._models[request.path]
        try:
            model.model_validate_json(body, strict=True)
        except ValidationError as error:
            return f"not a {model.__name__}: {describe_invalid(error)}"
        asked, given = _length(request.body, "inputs"), _length(body, "outputs")
        return f"{given} outputs for {asked} inputs" if asked != given else None


def equal(expected: Any, actual: Any) -> bool:
    """Whether two JSON values are the same but for the last digits of fractions."""
    if isinstance(expected, float) and isinstance(actual, float):
        return math.isclose(expected, actual, rel_tol=0, abs_tol=TOLERANCE)
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, dict):
        return expected.keys() == actual.keys() and all(
            equal(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(equal, expected, actual))
    return bool(expected == actual)


def _length(body: str | None, field: str) -> int | None:
    value = json.loads(body) if body else None
    items = value.get(field) if isinstance(value, dict) else None
    return len(items) if isinstance(items, list) else None
