"""A row as a file has it, before it is validated."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RawRow:
    """One row, or the reason why there is none.

    Args:
        line: number of its first line, or of the row in a Parquet file; from 1.
        fields: its values by name, not validated.
        problem: why it can't be read; then there are no fields.
        lines: the number of rows that a problem may have cost.
    """

    line: int
    fields: dict[str, Any] | None = None
    problem: str = ""
    lines: int = 1
