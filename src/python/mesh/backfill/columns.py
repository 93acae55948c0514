"""The columns of an output, made from the type of a model's responses."""

import datetime
import enum
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from mesh.core.errors import UsageError
from mesh.serve.documents import RefusedDocument
from mesh.serve.facts import OUTPUTS, prediction_type

OUTPUT = "output"
"""The column of predictions that aren't made of fields."""
ID = "id"

_SCALARS = {
    str: "string",
    int: "int64",
    float: "float64",
    bool: "bool_",
    bytes: "binary",
    datetime.date: "date32",
}


class Columns:
    """How responses become rows.

    Args:
        response_model: of the served model.
        carried: Arrow types of the columns that come before the predictions, `id` among them.

    Raises:
        UsageError: a carried column has the name of another one.
    """

    def __init__(self, response_model: type[BaseModel], carried: Mapping[str, Any]) -> None:
        import pyarrow as pa

        self._each = prediction_type(response_model)
        fields = dict(_fields(self._each)) if self._each else {}
        rest = {
            name: kind
            for name, kind in _fields(response_model)
            if self._each is None or name != OUTPUTS
        }
        for name in carried:
            if name in fields or name in rest:
                raise UsageError(
                    f"The column {name!r} can't be carried over, since predictions have one of this "
                    f"name; they have: {', '.join([*fields, *rest])}."
                )
        self._made = fields | rest
        self.schema = pa.schema([*carried.items(), *self._made.items()])

    def row(self, response: BaseModel) -> dict[str, Any] | str:
        """The values of a response to one document, or why it was refused."""
        values = response.model_dump()
        if self._each is not None:
            [output] = response.outputs  # type: ignore[attr-defined]
            if isinstance(output, RefusedDocument):
                return output.error
            [dumped] = values.pop(OUTPUTS)
            values |= dumped if isinstance(output, BaseModel) else {OUTPUT: dumped}
        return {name: _fit(values.get(name), kind) for name, kind in self._made.items()}


def _fit(value: Any, kind: Any) -> Any:
    """A value as Arrow takes it for a type."""
    import pyarrow as pa

    if value is None or isinstance(value, str) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return _fit(value.value, kind)
    if pa.types.is_struct(kind):
        return {field.name: _fit(value.get(field.name), field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_fit(each, kind.value_type) for each in value]
    return as_json(value) if pa.types.is_string(kind) else value


def as_json(value: Any) -> str:
    """A value as compact JSON; what has no form there is its text."""
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))


def _fields(kind: Any) -> list[tuple[str, Any]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [
            (name, arrow_type(field.annotation)) for name, field in kind.model_fields.items()
        ] + [
            (name, arrow_type(field.return_type))
            for name, field in kind.model_computed_fields.items()
        ]
    return [(OUTPUT, arrow_type(kind))]


def arrow_type(kind: Any) -> Any:
    """The Arrow type of values of a Python type as JSON; what has none is JSON in a string."""
    import pyarrow as pa

    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return arrow_type(arguments[0])
    if origin is Literal:
        return _common_type(map(type, arguments))
    if origin in (typing.Union, types.UnionType):
        return _common_type(each for each in arguments if each is not types.NoneType)
    if origin in (list, set, frozenset, tuple, Sequence):
        element = _common_type(each for each in arguments if each is not Ellipsis)
        return pa.list_(element)
    return _plain_type(kind) if isinstance(kind, type) else pa.string()


def _common_type(kinds: Iterable[Any]) -> Any:
    """The Arrow type of values of any of several types."""
    import pyarrow as pa

    found = set(kinds)
    if found == {int, float}:
        return pa.float64()
    return arrow_type(found.pop()) if len(found) == 1 else pa.string()


def _plain_type(kind: type) -> Any:
    import pyarrow as pa

    if issubclass(kind, BaseModel):
        fields = _fields(kind)
        return pa.struct(fields) if fields else pa.string()
    if issubclass(kind, enum.Enum):
        return _common_type(type(member.value) for member in kind)
    return next(
        (getattr(pa, name)() for known, name in _SCALARS.items() if kind is known), pa.string()
    )
