"""Looks names up in a knowledge base."""

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from entity_fishing.knowledge_file import NameKind, open_file
from entity_fishing.names import name_key
from entity_fishing.sample import sample_database

MAX_CANDIDATES = 20
"""Most candidates of one name; the best-known ones are taken."""

_COLUMNS = "entity.id, label, entity.type, description, popularity, name.name, kind"
# Nothing but constants is put into the queries here.
_EXACT = f"""
SELECT name.key, {_COLUMNS}
FROM json_each(?) AS wanted
    JOIN name ON name.key = wanted.value JOIN entity ON entity.id = name.entity
WHERE language IN (?, 'en', 'mul')
ORDER BY popularity DESC, kind = {NameKind.LABEL:d} DESC, entity.id
"""
# Beginnings end in ASCII or in a letter, so the last code point is behind all that goes on.
_BEGUN = """
SELECT value FROM json_each(?)
WHERE EXISTS (SELECT 1 FROM name WHERE key >= value AND key < value || char(0x10FFFF))
"""
_CONTAINING = f"""
SELECT {_COLUMNS}
FROM name_text JOIN name ON name.id = name_text.rowid JOIN entity ON entity.id = name.entity
WHERE name_text MATCH ? AND language IN (?, 'en', 'mul')
ORDER BY popularity DESC, kind = {NameKind.LABEL:d} DESC, entity.id LIMIT ?
"""


@dataclass(frozen=True)
class Candidate:
    """An entity that a name may stand for.

    Args:
        id: such as `Q90`.
        popularity: from 0 to 1.
        name: the entity's name that was found.
        kind: what that name is to it.
        is_whole: whether it is the name that was looked up, and not a longer one.
    """

    id: str
    label: str
    type: str
    description: str
    popularity: float
    name: str
    kind: NameKind
    is_whole: bool


class KnowledgeBase:
    """A thread-safe knowledge base."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | None) -> "KnowledgeBase":
        """Open a file made by knowledge_base:build, or the shipped sample.

        Raises:
            MeshError: the file is missing or isn't a knowledge base.
        """
        return cls(open_file(path) if path else sample_database())

    def __len__(self) -> int:
        """The number of entities."""
        with self._lock:
            [count] = self._database.execute("SELECT count(*) FROM entity").fetchone()
        return int(count)

    def find(self, keys: Iterable[str], language: str) -> Mapping[str, Sequence[Candidate]]:
        """The entities with each of these keys (`names.name_key`): 20 at most, best-known first."""
        with self._lock:
            rows = self._database.execute(_EXACT, (json.dumps(list(keys)), language)).fetchall()
        found: dict[str, dict[int, Candidate]] = defaultdict(dict)
        for key, *row in rows:
            # An entity's first row is its label, if the label has this key.
            if row[0] not in found[key] and len(found[key]) < MAX_CANDIDATES:
                found[key][row[0]] = _candidate(row, is_whole=True)
        return {key: list(candidates.values()) for key, candidates in found.items()}

    def begun(self, beginnings: Iterable[str]) -> frozenset[str]:
        """Those of these beginnings that the key of some name has."""
        with self._lock:
            rows = self._database.execute(_BEGUN, (json.dumps(list(beginnings)),)).fetchall()
        return frozenset(value for (value,) in rows)

    def containing(self, name: str, language: str) -> Sequence[Candidate]:
        """The entities with longer names that contain these words: 20 at most, best-known first."""
        words = name_key(name).replace('"', " ")
        if not words:
            return []
        with self._lock:
            rows = self._database.execute(
                _CONTAINING, (f'"{words}"', language, MAX_CANDIDATES)
            ).fetchall()
        found: dict[int, Candidate] = {}
        for row in rows:
            found.setdefault(row[0], _candidate(row, is_whole=False))
        return list(found.values())


def _candidate(row: Sequence[object], *, is_whole: bool) -> Candidate:
    number, label, type_, description, popularity, name, kind = row
    return Candidate(
        id=f"Q{number}",
        label=str(label),
        type=str(type_),
        description=str(description),
        popularity=float(str(popularity)),
        name=str(name),
        kind=NameKind(int(str(kind))),
        is_whole=is_whole,
    )
