"""Requests made of rows, as the Open Inference Protocol makes them of texts."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from mesh.backfill.settings import LANGUAGE, BackfillSettings
from mesh.core.errors import UsageError, describe_invalid
from mesh.serve.documents import EXAMPLE_TEXT
from mesh.serve.model import ServedModel

CONFIGURATION = "configuration"


class RejectedError(Exception):
    """A row that can't be answered.

    Args:
        reason: one of a few words, by which rows are counted.
        detail: a sentence.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Requests:
    """Makes requests of rows.

    Args:
        model: the served model; it needn't be loaded.

    Raises:
        UsageError: the model's requests have no such language or configuration.
    """

    def __init__(self, model: ServedModel, settings: BackfillSettings) -> None:
        self._model = model
        self._settings = settings
        self._common = dict(settings.configuration)
        if settings.language:
            self._common[LANGUAGE] = settings.language
        asked = {*self._common, *([LANGUAGE] if settings.language_column else [])}
        if asked or settings.configuration_column:
            self._require(asked)
        if self._common:
            try:
                self._configured(EXAMPLE_TEXT, self._common)
            except ValidationError as error:
                raise UsageError(
                    f"{model.name} takes no such configuration: {describe_invalid(error)}."
                ) from error

    def make(self, values: Mapping[str, Any]) -> BaseModel:
        """The request about a row.

        Raises:
            RejectedError: it has no text, or the model doesn't take it.
        """
        text = self._text(values)
        configuration = self._common | self._own(values)
        try:
            if not configuration:
                return self._model.example_request(text)
            return self._configured(text, configuration)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            where = problems[0]["loc"][:1]
            if problems[0]["type"] == "string_too_long" and where != (CONFIGURATION,):
                reason = "too long"
            else:
                reason = CONFIGURATION if where == (CONFIGURATION,) else "refused"
            raise RejectedError(reason, describe_invalid(error)) from error

    def _require(self, asked: set[str]) -> None:
        field = self._model.request_model.model_fields.get(CONFIGURATION)
        if field is None:
            raise UsageError(f"Requests of {self._model.name} have no configuration.")
        known = getattr(field.annotation, "model_fields", None)
        for name in sorted(asked):
            if known is not None and name not in known:
                raise UsageError(
                    f"The configuration of {self._model.name} has no {name!r}; it has: "
                    f"{', '.join(known)}."
                )

    def _text(self, values: Mapping[str, Any]) -> str:
        text = values.get(self._settings.text)
        if text is None:
            raise RejectedError("empty", f"the column {self._settings.text!r} has no value")
        if not isinstance(text, str):
            kind = type(text).__name__
            raise RejectedError("not a string", f"the column {self._settings.text!r} has a {kind}")
        if not is_unicode(text):
            raise RejectedError("not Unicode", "the text isn't valid Unicode")
        if not text.strip():
            raise RejectedError("empty", "the text is empty")
        return text

    def _own(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration that a row has itself."""
        own: dict[str, Any] = {}
        if column := self._settings.configuration_column:
            own |= _object(values.get(column), column)
        if column := self._settings.language_column:
            language = values.get(column)
            own |= {LANGUAGE: language} if language not in (None, "") else {}
        return own

    def _configured(self, text: str, configuration: Mapping[str, Any]) -> BaseModel:
        plain = self._model.example_request(text).model_dump(mode="json", exclude_unset=True)
        merged = {**plain.get(CONFIGURATION, {}), **configuration}
        return self._model.request_model.model_validate({**plain, CONFIGURATION: merged})


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(value: Any, column: str) -> dict[str, Any]:
    """The JSON object in a column of configurations."""
    if value in (None, ""):
        return {}
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise RejectedError(CONFIGURATION, f"the column {column!r} isn't JSON: {error}") from error
    if not isinstance(found, dict):
        raise RejectedError(CONFIGURATION, f"the column {column!r} has no JSON object")
    # A struct of Parquet has all fields in all rows.
    return {name: each for name, each in found.items() if each is not None}
