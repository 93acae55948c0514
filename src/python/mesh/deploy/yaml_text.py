"""YAML of plain values, in block style."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = frozenset(("false", "n", "no", "null", "off", "on", "true", "y", "yes"))
"""Texts that some readers of YAML take for other values."""


def to_yaml(value: Mapping[str, Any]) -> str:
    """Write a mapping of texts, numbers, truth values, None, lists and mappings, in its order."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _mapping(item))
        elif isinstance(item, Sequence) and not isinstance(item, str) and item:
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _list(item))
        else:
            yield f"{_scalar(key)}: {_scalar(item)}"


def _list(items: Sequence[Any]) -> Iterator[str]:
    for item in items:
        lines = _mapping(item) if isinstance(item, Mapping) and item else iter([_scalar(item)])
        yield f"- {next(lines)}"
        yield from (f"  {line}" for line in lines)


def _scalar(value: Any) -> str:
    """A value on one line; mappings and lists that get here are empty."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return f'"{"".join(map(_escape, value))}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
