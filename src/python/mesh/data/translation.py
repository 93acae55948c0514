"""The translation of a file's fields and values to those of a project's rows."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from typing import Any

from mesh.core.errors import UsageError
from mesh.data.dataset import TextRow

Values = Mapping[str, str | None]

_DECIMAL = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(rf"(?P<low>{_DECIMAL})\s*(?:-|\.\.|\N{{EN DASH}})\s*(?P<high>{_DECIMAL})")
_BOUND = re.compile(rf"(?P<sign>[<>]=?)\s*(?P<bound>{_DECIMAL})")
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]{1,25}(?:[.,][0-9]{0,25})?|\.[0-9]{1,25})(?:[eE][-+]?[0-9]{1,3})?"
)
_INFINITE = Decimal("Infinity")
_OF_ENTITIES = ("start", "end", "label")
_KEPT = object()
"""Stands for a value without a translation."""


@dataclass(frozen=True)
class Translation:
    """The translation of a file's fields to a row's.

    Args:
        rename: the row's name of a field, by the file's, also within lists of objects; other
            unknown fields are dropped.
        values: by the row's field, the row's value for each of the file's: a value in any of its
            forms (1, "1" and 1.0 are the same, and so are true and "true"), or a range of numbers
            such as "1-2" or ">= 4". None drops an entity.
        defaults: values of fields that the file lacks.

    Raises:
        UsageError: a range is malformed, or two of them overlap.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Refuses malformed values.
        _ = self._choices

    @cached_property
    def _choices(self) -> "dict[str, _Choices]":
        return {name: _Choices(name, values) for name, values in self.values.items()}

    def apply(
        self,
        fields: Mapping[str, Any],
        row: type[TextRow],
        read: Callable[[dict[str, Any]], Mapping[str, Any]] = dict,
    ) -> dict[str, Any]:
        """The fields of a row.

        Args:
            read: what is made of the renamed fields before their values are translated.

        Raises:
            UsageError: a field is renamed to one that the file has, too.
        """
        renamed = self._renamed(fields, self.rename)
        of_items = {old: new for old, new in self.rename.items() if new in _OF_ENTITIES}
        for name, value in renamed.items():
            if isinstance(value, list):
                renamed[name] = [
                    self._renamed(item, of_items) if isinstance(item, dict) else item
                    for item in value
                ]
        translated = {
            name: self._value(name, value) for name, value in read(self._in_lists(renamed)).items()
        }
        known = {name: value for name, value in translated.items() if name in row.model_fields}
        return {**self.defaults, **known}

    def _in_lists(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields with translated values in lists, such as the tags of tokens."""
        return {
            name: (
                [_translated(self._choices[name], item) for item in value]
                if name in self._choices and isinstance(value, list)
                else value
            )
            for name, value in fields.items()
        }

    @staticmethod
    def _renamed(fields: Mapping[str, Any], rename: Mapping[str, str]) -> dict[str, Any]:
        given: dict[str, str] = {}
        for old, new in rename.items():
            if old in fields and given.setdefault(new, old) != old:
                raise UsageError(
                    f"INGEST_RENAME makes both {given[new]!r} and {old!r} {new!r}; the data has "
                    "both fields, so rename one of them only."
                )
            if old in fields and new in fields and old != new and new not in rename:
                raise UsageError(
                    f"INGEST_RENAME makes {old!r} {new!r}, but the data has a field {new!r}, too: "
                    f"rename that one to another name."
                )
        return {rename.get(name, name): value for name, value in fields.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            items = [self._item(item) if isinstance(item, dict) else item for item in value]
            return [item for item in items if item is not None]
        return _translated(self._choices[name], value) if name in self._choices else value

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """A translated entity, or None if its label is translated to nothing."""
        translated = {name: self._value(name, value) for name, value in item.items()}
        dropped = item.get("label") is not None and translated.get("label") is None
        return None if dropped else translated


@dataclass(frozen=True)
class _Range:
    """Numbers from `low` to `high`; both are excluded where it is open."""

    key: str
    low: Decimal
    high: Decimal
    is_open: bool

    def __contains__(self, number: Decimal) -> bool:
        if self.is_open:
            return self.low < number < self.high
        return self.low <= number <= self.high

    def overlaps(self, other: "_Range") -> bool:
        """Whether a number may be in both."""
        if self.is_open or other.is_open:
            return max(self.low, other.low) < min(self.high, other.high)
        return max(self.low, other.low) <= min(self.high, other.high)


class _Choices:
    """The translations of one field's values."""

    def __init__(self, name: str, values: Values) -> None:
        self._exact: dict[str, str | None] = {}
        for key, value in values.items():
            if self._exact.setdefault(_form(key), value) != value:
                raise UsageError(
                    f"INGEST_VALUES has two translations of {key!r} for {name!r}: "
                    f"{self._exact[_form(key)]!r} and {value!r}."
                )
        self._ranges = [
            (found, value) for key, value in values.items() if (found := _range(name, key))
        ]
        for (left, _), (right, _) in combinations(self._ranges, 2):
            if left.overlaps(right):
                raise UsageError(
                    f"INGEST_VALUES has the ranges {left.key!r} and {right.key!r} for {name!r}, "
                    "which overlap."
                )

    def of(self, value: str | float) -> Any:
        """The translation of a value, or `_KEPT`."""
        form = _form(value)
        if form in self._exact:
            return self._exact[form]
        if (number := _number(value)) is not None:
            for numbers, chosen in self._ranges:
                if number in numbers:
                    return chosen
        return _KEPT


def _translated(choices: _Choices, value: Any) -> Any:
    if not isinstance(value, str | int | float):
        return value
    chosen = choices.of(value)
    return value if chosen is _KEPT else chosen


def _form(value: object) -> str:
    """One form for numbers, truth values and strings of equal meaning."""
    if isinstance(value, bool):
        return str(value).lower()
    number = _number(value)
    if number is not None:
        return str((number + 0).normalize())
    text = str(value).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def _number(value: object) -> Decimal | None:
    """A number, also with a decimal comma."""
    text = "" if isinstance(value, bool) else str(value).strip()
    return Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def _range(name: str, key: str) -> _Range | None:
    text = key.strip()
    if match := _BOUND.fullmatch(text):
        bound, is_open = Decimal(match["bound"]), "=" not in match["sign"]
        low, high = (bound, _INFINITE) if ">" in match["sign"] else (-_INFINITE, bound)
        return _Range(key, low, high, is_open)
    if match := _RANGE.fullmatch(text):
        low, high = Decimal(match["low"]), Decimal(match["high"])
        if low > high:
            raise UsageError(f"INGEST_VALUES has the empty range {key!r} for {name!r}.")
        return _Range(key, low, high, is_open=False)
    return None
