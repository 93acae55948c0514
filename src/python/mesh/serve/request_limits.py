"""What the largest request that a model's schema allows needs: the limits of its body."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

TOTAL_CHARACTERS = "x-max-total-characters"
"""In the schema of a part of requests: how many characters all such parts of one have together."""

TOTAL_ITEMS = "x-max-total-items"
"""In the schema of a list: how many items all such lists of one request have together."""

BYTES_OF_CHARACTER = len(json.dumps("\U0001f600")) - len(json.dumps(""))
"""At most: of one beyond U+FFFF, escaped."""

BYTES_OF_NUMBER = 25
BYTES_AROUND = 24
"""Of the marks and spaces around an element, in a text that is indented."""

SPARE_BYTES = 64 * 1024
SPARE_ELEMENTS = 1_000
"""For what a schema ignores, and so that mistakes are named by what is wrong with them."""

UNBOUNDED_BYTES = 8 * 1024 * 1024
UNBOUNDED_ELEMENTS = 100_000
"""Where a schema sets no bounds."""


@dataclass(frozen=True)
class Extent:
    """How large a body is.

    Attributes:
        elements: items of arrays and members of objects.
    """

    bytes: int
    elements: int


@functools.cache
def largest_request(model: type[BaseModel]) -> Extent:
    """The extent of the largest request that a model's schema allows, written in any way."""
    schema = model.model_json_schema()
    found = _measure(schema, 1, schema.get("$defs", {}), ())
    return Extent(
        _limit(found.bytes, SPARE_BYTES, UNBOUNDED_BYTES),
        _limit(found.elements, SPARE_ELEMENTS, UNBOUNDED_ELEMENTS),
    )


def _limit(needed: float, spare: int, unbounded: int) -> int:
    return unbounded if math.isinf(needed) else int(needed) + spare


@dataclass(frozen=True)
class _Measure:
    """Bytes without those of texts, elements, and characters of texts."""

    marks: float = 0
    elements: float = 0
    characters: float = 0

    def __add__(self, other: "_Measure") -> "_Measure":
        return _Measure(
            self.marks + other.marks,
            self.elements + other.elements,
            self.characters + other.characters,
        )

    @property
    def bytes(self) -> float:
        return self.marks + self.characters * BYTES_OF_CHARACTER


def _measure(
    schema: Mapping[str, Any], times: float, known: Mapping[str, Any], within: tuple[str, ...]
) -> _Measure:
    """What so many values of a schema need together."""
    found = _of_kind(schema, times, known, within)
    if TOTAL_CHARACTERS in schema:
        characters = min(found.characters, schema[TOTAL_CHARACTERS])
        found = _Measure(found.marks, found.elements, characters)
    return found


def _of_kind(
    schema: Mapping[str, Any], times: float, known: Mapping[str, Any], within: tuple[str, ...]
) -> _Measure:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if name in within:
            return _Measure(math.inf, math.inf)
        return _measure(known[name], times, known, (*within, name))
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            total = {key: value for key, value in schema.items() if key == TOTAL_ITEMS}
            found = [_measure({**each, **total}, times, known, within) for each in schema[choice]]
            return _Measure(
                max(each.marks for each in found),
                max(each.elements for each in found),
                max(each.characters for each in found),
            )
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is not None:
        return _Measure(times * max(len(json.dumps(value)) for value in values))
    match schema.get("type"):
        case "object":
            return _of_object(schema, times, known, within)
        case "array":
            return _of_array(schema, times, known, within)
        case "string":
            return _Measure(0, 0, times * schema.get("maxLength", math.inf))
        case _:
            return _Measure(times * BYTES_OF_NUMBER)


def _of_object(
    schema: Mapping[str, Any], times: float, known: Mapping[str, Any], within: tuple[str, ...]
) -> _Measure:
    total = _Measure()
    # Of members that are ignored there may be as many again.
    members = times if schema.get("additionalProperties") is False else 2 * times
    for name, each in schema.get("properties", {}).items():
        total += _Measure(members * (len(json.dumps(name)) + BYTES_AROUND), members)
        total += _measure(each, times, known, within)
    return total


def _of_array(
    schema: Mapping[str, Any], times: float, known: Mapping[str, Any], within: tuple[str, ...]
) -> _Measure:
    items = min(times * schema.get("maxItems", math.inf), schema.get(TOTAL_ITEMS, math.inf))
    total = _Measure(items * BYTES_AROUND, items)
    if fixed := schema.get("prefixItems"):
        return sum((_measure(each, times, known, within) for each in fixed), total)
    return total + _measure(schema.get("items", {}), items, known, within)
