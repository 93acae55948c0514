"""The facts of predictions that are counted and compared: labels, scores, numbers of things.

No fact holds a text of a document, or one that was made from it.
"""

import enum
import math
import types
import typing
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from mesh.serve.documents import RefusedDocument

OUTPUTS = "outputs"
"""The field of a response that has a prediction for each document."""

Fact = float | str | dict[str, int]
"""A number, a label, or how often a prediction has each label."""

LABEL = "label"
"""Marks a text field of a response whose values are labels: `kind: Annotated[str, LABEL]`. They are
few, and don't come from a document."""
NONE = "none"
"""The label of what may have one, and has none."""
REFUSED = "refused"

_LABELS_OF_FACT = 50
_CHARACTERS_OF_LABEL = 100


class Facts:
    """Reads the facts of predictions by the type of a model's responses.

    Labels are the values of fields whose type lists them (`Literal`, an enumeration, `bool`), or is
    marked by `LABEL`. A number of a prediction counts as it is. Of a text only the length counts,
    of a list the number of its elements, their labels, and the means of their fractions.

    Args:
        response_model: of the served model.
    """

    def __init__(self, response_model: type[BaseModel]) -> None:
        self._response_model = response_model
        self._element = prediction_type(response_model)
        self._may_refuse = RefusedDocument in _options(_element_of(response_model))

    def of_response(self, response: Any) -> list[dict[str, Fact]]:
        """The facts of each prediction in a response."""
        if self._element is None:
            return [dict(self._of_fields("", self._response_model, response))]
        rest = dict(self._of_fields("", self._response_model, response, without=OUTPUTS))
        return [{**self.of_output(output), **rest} for output in response.outputs]

    def of_output(self, output: Any) -> dict[str, Fact]:
        """The facts of one of the outputs of a response, an instance or JSON."""
        if isinstance(output, RefusedDocument):
            return {REFUSED: "yes"}
        kind = self._element if self._element is not None else self._response_model
        found = dict(self._of_value("", kind, output))
        return {**found, REFUSED: "no"} if self._may_refuse else found

    def of_row(self, row: Mapping[str, Any]) -> dict[str, Fact]:
        """The facts of a row of a table that has the fields of predictions as columns."""
        rest = dict(self._of_fields("", self._response_model, row, without=OUTPUTS))
        return {**self.of_output(row), **rest}

    def _of_fields(
        self,
        name: str,
        model: type[BaseModel],
        value: Any,
        *,
        without: str = "",
        in_list: bool = False,
    ) -> Iterator[tuple[str, Fact]]:
        for key, field in model.model_fields.items():
            if key == without or isinstance(value, Mapping) and key not in value:
                continue
            found = value[key] if isinstance(value, Mapping) else getattr(value, key)
            inner = f"{name}.{key}" if name else key
            kind = field.annotation
            is_label = LABEL in field.metadata or any(map(_lists_values, _options(kind)))
            yield from self._of_value(inner, kind, found, in_list=in_list, is_label=is_label)

    def _of_value(
        self,
        name: str,
        kind: Any,
        value: Any,
        *,
        in_list: bool = False,
        is_label: bool = False,
    ) -> Iterator[tuple[str, Fact]]:
        options = _options(kind)
        if value is None:
            if is_label:
                yield name, NONE
            elif any(map(_is_list, options)):
                yield f"{name}.count", 0.0
        elif isinstance(value, str | int | float | enum.Enum):
            # In a list, numbers without fractions are places in the document.
            is_place = in_list and isinstance(value, int) and not isinstance(value, bool)
            if not is_place and (fact := _of_scalar(name, value, is_label=is_label)):
                yield fact
        elif isinstance(value, list | tuple):
            yield from self._of_list(name, options, value)
        else:
            model = type(value) if isinstance(value, BaseModel) else _model_of(options)
            if model is not None:
                yield from self._of_fields(name, model, value, in_list=in_list)

    def _of_list(
        self, name: str, options: Sequence[Any], values: Sequence[Any]
    ) -> Iterator[tuple[str, Fact]]:
        yield f"{name}.count" if name else "count", float(len(values))
        element = next((get_args(one)[0] for one in options if _is_list(one)), None)
        numbers: defaultdict[str, list[float]] = defaultdict(list)
        labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for value in values:
            if not isinstance(value, BaseModel | Mapping):
                continue
            for key, fact in self._of_value(name, element, value, in_list=True):
                if isinstance(fact, str):
                    labels[key][fact] += 1
                elif isinstance(fact, dict):
                    labels[key].update(fact)
                else:
                    numbers[key].append(fact)
        yield from ((key, math.fsum(some) / len(some)) for key, some in numbers.items())
        yield from ((key, dict(some.most_common(_LABELS_OF_FACT))) for key, some in labels.items())


def _of_scalar(
    name: str, value: str | float | enum.Enum, *, is_label: bool
) -> tuple[str, Fact] | None:
    if isinstance(value, bool):
        return name, "yes" if value else "no"
    if isinstance(value, enum.Enum):
        return name, str(value.value)
    if isinstance(value, int | float):
        return (name or "output", float(value)) if math.isfinite(value) else None
    if is_label:
        return name, value[:_CHARACTERS_OF_LABEL]
    return f"{name}.characters" if name else "characters", float(len(value))


def prediction_type(response_model: type[BaseModel]) -> Any:
    """The type of a document's prediction; None where a response isn't a list of them."""
    element = _element_of(response_model)
    if get_origin(element) in (typing.Union, types.UnionType):
        kept = tuple(each for each in get_args(element) if each is not RefusedDocument)
        return kept[0] if len(kept) == 1 else typing.Union[kept]  # noqa: UP007 - of a tuple
    return element


def _element_of(response_model: type[BaseModel]) -> Any:
    """The type of the elements of `outputs`; None where a response has no such list."""
    field = response_model.model_fields.get(OUTPUTS)
    if field is None or get_origin(field.annotation) not in (list, Sequence):
        return None
    return get_args(field.annotation)[0]


def _options(kind: Any) -> tuple[Any, ...]:
    """The types that a value may have, without None."""
    origin = get_origin(kind)
    if origin is typing.Annotated:
        return _options(get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(one for each in get_args(kind) for one in _options(each))
    return () if kind is types.NoneType else (kind,)


def _lists_values(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return True
    return kind is bool or isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple, set, frozenset, Sequence) and bool(get_args(kind))


def _model_of(options: Sequence[Any]) -> type[BaseModel] | None:
    models = (one for one in options if isinstance(one, type) and issubclass(one, BaseModel))
    return next(models, None)
