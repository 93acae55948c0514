"""Arrow schemas of pydantic models, so that empty lists and missing values keep their types."""

import types
import typing
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel

_SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def arrow_schema(model: type[BaseModel]) -> pa.Schema:
    """The schema that stores a model's fields, nested models and lists included.

    Raises:
        TypeError: a field has a type that has no form in Arrow.
    """
    return pa.schema(_fields(model))


def _fields(model: type[BaseModel]) -> list[pa.Field]:
    return [
        _field(name, field.annotation, f"{model.__name__}.{name}")
        for name, field in model.model_fields.items()
    ]


def _field(name: str, annotation: Any, where: str) -> pa.Field:
    nullable = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(annotation) if option is not type(None)]
        nullable = len(options) < len(typing.get_args(annotation))
        annotation = options[0] if len(options) == 1 else annotation
    return pa.field(name, _type(annotation, where), nullable=nullable)


def _type(annotation: Any, where: str) -> pa.DataType:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if origin is typing.Annotated:
        return _type(arguments[0], where)
    if origin is Literal and len(kinds := {type(value) for value in arguments}) == 1:
        return _type(kinds.pop(), where)
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return pa.list_(_field("element", arguments[0], where))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pa.struct(_fields(annotation))
    raise TypeError(f"{where}: {annotation} can't be stored; use text, numbers, lists or models")
