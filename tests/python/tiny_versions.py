"""Versions of a tiny project's features: a few texts each, stored without the steps."""

from pathlib import Path

import pyarrow as pa

from mesh.core.manifest import FileEntry
from mesh.core.project import Project
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.settings import DataSettings
from mesh.data.shards import write_shards
from mesh.data.store import DataStore

PROJECT = Project(name="tiny", description="", port=1)
_SCHEMA = pa.schema([pa.field("text", pa.string(), nullable=False)])


def features_at(root: Path | str) -> DataStore:
    return DataStore(PROJECT, "features", DataSettings(root=str(root)))


def publish(
    store: DataStore, folder: Path, *, train: list[str], test: list[str], card: str = ""
) -> DataManifest:
    """Store a version, which is made in a new folder; `card` is the text of another file."""
    folder.mkdir()
    rows = {"train": train, "test": test}
    shards = [
        shard
        for part, texts in rows.items()
        for shard in write_shards(({"text": text} for text in texts), _SCHEMA, folder, part)
    ]
    card_file = folder / "plots/card.md"
    card_file.parent.mkdir()
    card_file.write_text(card)
    manifest = DataManifest(
        project=PROJECT.name,
        kind="features",
        row_schema=describe_schema(_SCHEMA),
        shards=tuple(shards),
        files=(FileEntry.of(card_file, "plots/card.md"),),
        inputs=folder.name,
        source={},
    )
    return store.publish(folder, manifest)
