"""The difference between two versions of data."""

import collections
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from mesh.data.manifest import DataManifest
from mesh.data.store import LocalData


@dataclass(frozen=True)
class Difference:
    """Rows and columns that differ between an older and a newer version.

    Args:
        parts: the number of rows of each part in both, such as `{"train": (80, 84)}`.
        removed: rows that are only in the older version, whatever their part.
        added: rows that are only in the newer version.
        moved: rows of both that are in another part.
        columns: columns that differ, with their types in both; None where the column is missing.
    """

    parts: dict[str, tuple[int, int]]
    removed: int
    added: int
    moved: int
    columns: dict[str, tuple[str | None, str | None]]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.removed or self.added or self.moved or self.columns)

    def as_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def between(cls, older: LocalData, newer: LocalData) -> Self:
        """Compare two versions row by row; holds the rows of both in memory."""
        before, after = _rows(older), _rows(newer)
        schemas = (older.manifest.row_schema, newer.manifest.row_schema)
        first, second = (_without_parts(rows) for rows in (before, after))
        common = (first & second).total()
        return cls(
            parts={
                part: (_count(older.manifest, part), _count(newer.manifest, part))
                for part in dict.fromkeys([*_parts(older.manifest), *_parts(newer.manifest)])
            },
            removed=first.total() - common,
            added=second.total() - common,
            moved=common - (before & after).total(),
            columns={
                name: (schemas[0].get(name), schemas[1].get(name))
                for name in sorted(schemas[0].keys() | schemas[1].keys())
                if schemas[0].get(name) != schemas[1].get(name)
            },
        )


def _rows(data: LocalData) -> collections.Counter[tuple[str, str]]:
    return collections.Counter(
        (part, _text(row)) for part in _parts(data.manifest) for row in data.rows(part)
    )


def _text(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=str)


def _without_parts(rows: Mapping[tuple[str, str], int]) -> collections.Counter[str]:
    counted: collections.Counter[str] = collections.Counter()
    for (_, row), count in rows.items():
        counted[row] += count
    return counted


def _parts(manifest: DataManifest) -> list[str]:
    return list(dict.fromkeys(shard.part for shard in manifest.shards))


def _count(manifest: DataManifest, part: str) -> int:
    return sum(shard.rows for shard in manifest.shards if shard.part == part)
