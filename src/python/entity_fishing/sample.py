"""The shipped knowledge base.

It has about two thousand well-known entities, and names that several of them share.
"""

import csv
import importlib.resources
import sqlite3
from collections.abc import Iterator

from entity_fishing.knowledge_file import (
    Name,
    NameKind,
    Record,
    create_indexes,
    create_tables,
    insert,
)

_BEST_KNOWN = 5


def sample_database() -> sqlite3.Connection:
    """The sample as a database in memory."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    create_tables(database)
    insert(database, sample_records())
    create_indexes(database)
    return database


def sample_records() -> Iterator[Record]:
    """The entities of `sample.tsv`; their popularity is estimated, from 1 to 5."""
    file = importlib.resources.files("entity_fishing").joinpath("sample.tsv")
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Record(
                id=row["id"],
                label=row["label"],
                type=row["type"],
                description=row["description"],
                popularity=int(row["popularity"]) / _BEST_KNOWN,
                names=[
                    Name(row["label"], "mul", NameKind.LABEL),
                    *_names(row["aliases"], "mul", NameKind.ALIAS),
                    *_names(row["demonyms"], "en", NameKind.DEMONYM),
                ],
            )


def _names(texts: str, language: str, kind: NameKind) -> list[Name]:
    return [Name(text, language, kind) for text in texts.split("|") if text]
