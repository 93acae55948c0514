"""From rows of files to rows of a project; those that don't fit are recorded as rejects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from mesh.core.errors import describe_invalid
from mesh.data.account import Rejects
from mesh.data.annotations import read_annotations, read_task
from mesh.data.dataset import TextRow
from mesh.data.labels import did_you_mean, known_labels
from mesh.data.offsets import Offsets, OffsetsCheck, span_problem
from mesh.data.raw_row import RawRow
from mesh.data.translation import Translation

Row = TypeVar("Row", bound=TextRow)


class RowReader(Generic[Row]):
    """Makes rows of a project from those of files; the others go to the rejects with the reason.

    Args:
        row: the type of the project's rows.
        offsets: how the files count the places of entities.
    """

    def __init__(
        self,
        row: type[Row],
        translation: Translation,
        offsets: Offsets,
        rejects: Rejects,
    ) -> None:
        self._row = row
        self._translation = translation
        self._offsets = offsets
        self._rejects = rejects
        self._has_entities = "entities" in row.model_fields
        self._known = known_labels(row)
        self.check = OffsetsCheck(offsets)

    def read(self, raw: Iterable[RawRow], source: str) -> Iterator[Row]:
        """Yield the rows of a file that fit the project."""
        for found in raw:
            if found.fields is None:
                self._rejects.add(source, found.line, found.problem, None, found.lines)
                continue
            try:
                row = self._read(found.fields)
            except ValidationError as error:
                unknown = self._unknown_label(error)
                reason = "; ".join(filter(None, (describe_invalid(error), unknown)))
                self._rejects.add(source, found.line, reason, found.fields, kind=unknown)
            except ValueError as error:
                self._rejects.add(source, found.line, str(error), found.fields)
            else:
                yield row

    def _read(self, fields: Mapping[str, Any]) -> Row:
        task = read_task(fields, has_entities=self._has_entities)
        read = partial(read_annotations, has_entities=self._has_entities)
        translated = self._translation.apply(task, self._row, read)
        entities, text = translated.get("entities"), translated.get("text")
        if isinstance(entities, list) and isinstance(text, str):
            translated["entities"] = self._placed(text, entities)
        return self._row.model_validate(translated)

    def _unknown_label(self, error: ValidationError) -> str:
        """The label that the project doesn't know, and what it may stand for; or nothing."""
        first = error.errors(include_url=False)[0]
        if first["loc"][-1:] != ("label",) or first["type"] != "literal_error":
            return ""
        meant = did_you_mean(first["input"], self._known)
        return f"unknown label {first['input']!r}{f', {meant}' if meant else ''}"

    def _placed(self, text: str, entities: Sequence[Any]) -> list[Any]:
        """The entities with their places in characters.

        Raises:
            ValueError: a place can't be that of an entity.
        """
        if not all(
            isinstance(each, dict)
            and isinstance(each.get("start"), int)
            and isinstance(each.get("end"), int)
            for each in entities
        ):
            raise ValueError("an entity has no start and end, which are whole numbers")
        self.check.add(text, entities)
        places = self._offsets.places(text)
        placed = []
        for entity in entities:
            start, end = places.span(entity["start"], entity["end"])
            if problem := span_problem(text, start, end, entity.get("surface")):
                raise ValueError(problem)
            rest = {key: value for key, value in entity.items() if key != "surface"}
            placed.append({**rest, "start": start, "end": end})
        return placed
