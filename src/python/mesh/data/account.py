"""The account of rows: how many were read, taken and dropped, for which reasons."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, TextIO

from pydantic import BaseModel, ConfigDict

from mesh.core.tables import make_table, print_table

ACCOUNT_FILE = "account.json"
REJECTS_FILE = "rejects.jsonl"

_EXAMPLES = 2
_SHOWN_CHARACTERS = 500
_CELL_CHARACTERS = 80
# What differs between rows that are dropped for one reason.
_PARTICULAR = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\b[0-9][0-9:.]*""")


class Dropped(BaseModel):
    """Rows that were dropped for one reason, with examples."""

    model_config = ConfigDict(frozen=True)

    rows: int
    examples: list[str]


class Account(BaseModel):
    """What became of the rows: `read` is the sum of `taken` and of all that were dropped.

    Args:
        changed: taken rows whose text differs from that of the source.
        dropped: by reason, the commonest first.
        warnings: what may be wrong with the rows that were taken.
    """

    model_config = ConfigDict(frozen=True)

    read: int
    taken: int
    changed: int = 0
    dropped: dict[str, Dropped]
    warnings: list[str] = []

    @property
    def commonest(self) -> str:
        """The commonest reason with an example, or nothing."""
        reason = next(iter(self.dropped), "")
        return f"{reason} ({self.dropped[reason].examples[0]})" if reason else ""

    @property
    def numbers(self) -> dict[str, Any]:
        """It without examples, which may be private."""
        dropped = {reason: found.rows for reason, found in self.dropped.items()}
        return {**self.model_dump(exclude={"dropped"}), "dropped": dropped}

    def show(self) -> None:
        """Print it as a table."""
        table = make_table("rows", "number", "examples")
        table.add_row("read", f"{self.read:,}", "")
        table.add_row("taken", f"{self.taken:,}", "")
        if self.changed:
            table.add_row("  changed by the clean-up", f"{self.changed:,}", "")
        for reason, found in self.dropped.items():
            shown = "; ".join(example[:_CELL_CHARACTERS] for example in found.examples)
            table.add_row(f"dropped: {reason}", f"{found.rows:,}", shown)
        print_table(table)
        for warning in self.warnings:
            print(f"warning: {warning}")


class Rejects:
    """Dropped rows, counted by reason and written to a file, one JSON object a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rows: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    @property
    def count(self) -> int:
        """How many rows were dropped."""
        return self._rows.total()

    def add(
        self, source: str, line: int | None, reason: str, row: Any, rows: int = 1, kind: str = ""
    ) -> None:
        """Record a dropped row.

        Args:
            source: its file, or the version it came from.
            line: its number there, if it has one.
            row: its content, to recognise it by.
            rows: the number of rows that it may stand for.
            kind: the reason in the account; by default without what is particular to the row.
        """
        shown = json.dumps(row, default=str)[:_SHOWN_CHARACTERS]
        record = {"source": source, "line": line, "reason": reason, "rows": rows, "row": shown}
        # ASCII, since a rejected row may hold characters that can't be encoded.
        self._file.write(json.dumps(record) + "\n")
        kind = kind or _PARTICULAR.sub("…", reason)
        self._rows[kind] += rows
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            place = source.rpartition("/")[2] + (f":{line}" if line else "")
            examples.append(f"{place}: {reason}")

    def account(self, taken: int, *, changed: int = 0, warnings: Sequence[str] = ()) -> Account:
        """The account of all rows, of which `taken` are left."""
        dropped = {
            kind: Dropped(rows=rows, examples=self._examples[kind])
            for kind, rows in self._rows.most_common()
        }
        return Account(
            read=taken + self.count,
            taken=taken,
            changed=changed,
            dropped=dropped,
            warnings=list(warnings),
        )
