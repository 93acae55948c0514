"""The check of responses against their schema and the responses before the load."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from mesh.core.errors import describe_invalid
from mesh.loadtest.plan import Exchange, PlannedRequest

TOLERANCE = 1e-3
"""The largest difference of equal numbers: the last digits of a score vary by batch."""

_SHOWN = 60
"""Characters of a value that are shown."""

WRONG = "wrong response: not the one from before the load"
NO_REFERENCE = "this request had no right response before the load"


class ResponseCheck:
    """Checks responses to a plan's requests.

    Args:
        models: the schemas of responses, by path.
        references: bodies of the responses before the load, by the request's position.
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
        """The reason why a request failed, or None; exchanges come in their order."""
        if exchange.error is not None:
            return exchange.error
        if exchange.status != 200 or exchange.response is None:
            return f"status {exchange.status}"
        if exchange.body is not None:
            self._bodies[exchange.response] = exchange.body
        key = (exchange.request, exchange.response)
        if key not in self._checked:
            self._checked[key] = self._check(exchange.request, self._bodies[exchange.response])
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
        inputs, outputs = _length(request.body, "inputs"), _length(body, "outputs")
        return f"{outputs} outputs for {inputs} inputs" if inputs != outputs else None


def equal(expected: Any, actual: Any) -> bool:
    """Whether two JSON values are the same, except for the last digits of fractions."""
    return difference(expected, actual) is None


def difference(expected: Any, actual: Any, where: str = "the response") -> str | None:
    """The first place at which two JSON values aren't equal, as a clause; None if they are.

    Args:
        where: names the values.
    """
    if isinstance(expected, float) and isinstance(actual, float):
        same = math.isclose(expected, actual, rel_tol=0, abs_tol=TOLERANCE)
    elif type(expected) is not type(actual):
        same = False
    elif isinstance(expected, dict):
        if expected.keys() != actual.keys():
            return f"{where} has {_names(actual)}, not {_names(expected)}"
        inner = (
            difference(value, actual[key], f"{where}.{key}") for key, value in expected.items()
        )
        return next(filter(None, inner), None)
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            return f"{where} has {len(actual)} items, not {len(expected)}"
        pairs = enumerate(zip(expected, actual, strict=True))
        inner = (difference(one, other, f"{where}[{index}]") for index, (one, other) in pairs)
        return next(filter(None, inner), None)
    else:
        same = bool(expected == actual)
    return None if same else f"{where} is {_shown(actual)}, not {_shown(expected)}"


def _names(members: Mapping[str, Any]) -> str:
    return _cut(", ".join(members) or "no members")


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    """The beginning of a text, without what a terminal would obey."""
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:_SHOWN])
    return shown if len(text) <= _SHOWN else f"{shown}…"


def _length(body: str | None, field: str) -> int | None:
    value = json.loads(body) if body else None
    items = value.get(field) if isinstance(value, dict) else None
    return len(items) if isinstance(items, list) else None
