"""From rows of files to rows of a project; those that don't fit are recorded as rejects."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeVar

from pydantic import ValidationError

from mesh.core.errors import describe_invalid
from mesh.data.dataset import TextRow
from mesh.data.raw_row import RawRow
from mesh.data.translation import Translation

Row = TypeVar("Row", bound=TextRow)

REJECTS_FILE = "rejects.jsonl"
_SHOWN_CHARACTERS = 500


class Rejects:
    """Dropped rows, counted and written to a file, one JSON object a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.count = 0

    def add(self, source: str, line: int | None, reason: str, row: Any, rows: int = 1) -> None:
        """Record a dropped row.

        Args:
            source: its file, or the version it came from.
            line: its number there, if it has one.
            row: its content, to recognise it by.
            rows: the number of rows that it may stand for.
        """
        shown = json.dumps(row, default=str)[:_SHOWN_CHARACTERS]
        record = {"source": source, "line": line, "reason": reason, "rows": rows, "row": shown}
        # ASCII, since a rejected row may hold characters that can't be encoded.
        self._file.write(json.dumps(record) + "\n")
        self.count += rows


def validate_rows(
    raw: Iterable[RawRow], source: str, row: type[Row], translation: Translation, rejects: Rejects
) -> Iterator[Row]:
    """Yield the rows that fit the project; the others go to the rejects with line and reason."""
    for found in raw:
        if found.fields is None:
            rejects.add(source, found.line, found.problem, None, found.lines)
            continue
        try:
            yield row.model_validate(translation.apply(found.fields, row))
        except ValidationError as error:
            rejects.add(source, found.line, describe_invalid(error), found.fields)
