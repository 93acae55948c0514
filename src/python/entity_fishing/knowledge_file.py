"""The knowledge base as one SQLite file: entities, and a full-text index of their names."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from entity_fishing.names import name_key
from mesh.core.errors import MeshError

FORMAT = 3
"""Stored in every file; increase it with every change of the tables."""
APPLICATION_ID = 0x4D454653

_TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE entity (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL,
    popularity REAL NOT NULL
);
CREATE TABLE name (
    id INTEGER PRIMARY KEY, entity INTEGER NOT NULL REFERENCES entity, name TEXT NOT NULL,
    key TEXT NOT NULL, language TEXT NOT NULL, kind INTEGER NOT NULL
);
CREATE VIRTUAL TABLE name_text USING fts5(
    key, content = 'name', content_rowid = 'id', tokenize = 'unicode61'
);
"""
# Created last: filling an existing index takes much longer.
_INDEXES = """
CREATE INDEX IF NOT EXISTS name_key ON name (key);
INSERT INTO name_text (name_text) VALUES ('rebuild');
"""


class NameKind(IntEnum):
    """What a name is to its entity; numbers keep the file small."""

    ALIAS = 0
    LABEL = 1
    """The usual name in its language."""
    DEMONYM = 2
    """A word for what or who comes from a place, as "French" and "Frenchman"."""


@dataclass(frozen=True)
class Name:
    """One of an entity's names.

    Args:
        language: ISO 639-1 code, or `mul` for a name of all languages.
    """

    text: str
    language: str
    kind: NameKind


@dataclass(frozen=True)
class Record:
    """One entity.

    Args:
        id: such as `Q90`.
        type: person, organisation, place or other.
        popularity: from 0 to 1.
    """

    id: str
    label: str
    type: str
    description: str
    popularity: float
    names: Sequence[Name]


def create_tables(database: sqlite3.Connection) -> None:
    """Create the tables of an empty database."""
    database.executescript(_TABLES)


def insert(database: sqlite3.Connection, records: Iterable[Record]) -> int:
    """Add entities and return their number. Of equal identifiers, the first stays."""
    count = 0
    for record in records:
        number = int(record.id.removeprefix("Q"))
        added = database.execute(
            "INSERT OR IGNORE INTO entity VALUES (?, ?, ?, ?, ?)",
            (number, record.label, record.type, record.description, record.popularity),
        )
        if not added.rowcount:
            continue
        database.executemany(
            "INSERT INTO name (entity, name, key, language, kind) VALUES (?, ?, ?, ?, ?)",
            (
                (number, name.text, key, name.language, name.kind)
                for name in record.names
                if (key := name_key(name.text))
            ),
        )
        count += 1
    return count


def create_indexes(database: sqlite3.Connection) -> None:
    """Make names searchable, once all entities are inserted."""
    database.executescript(_INDEXES)


def open_file(path: Path) -> sqlite3.Connection:
    """Open a knowledge base for reading, from any thread.

    Raises:
        MeshError: it is missing, isn't a knowledge base, or has another format.
    """
    if not path.is_file():
        raise MeshError(
            f"The knowledge base {path} does not exist; build it with knowledge_base:build."
        )
    try:
        database = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
        [application] = database.execute("PRAGMA application_id").fetchone()
        [version] = database.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise MeshError(
            f"{path} can't be read as a knowledge base: {error}; build it again."
        ) from error
    if (application, version) != (APPLICATION_ID, FORMAT):
        raise MeshError(
            f"{path} isn't a knowledge base of format {FORMAT}; build it with knowledge_base:build."
        )
    return database
