"""The manifest of a version of data."""

import datetime
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from mesh.core.data_names import VERSION_LENGTH
from mesh.core.digest import fingerprint
from mesh.core.manifest import FileEntry
from mesh.data.shards import Shard

Kind = Literal["raw", "features"]


class DataManifest(BaseModel):
    """The description of a version of data.

    Args:
        row_schema: the Arrow type of each column by its name.
        shards: the files with the rows.
        files: the other files: rejects, and of features the data card.
        inputs: fingerprint of all that determines the version; equal inputs need no new version.
        made_from: the inputs, by the names of `mesh.core.inputs`; older versions lack them.
        source: the origin of the rows, and their processing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    project: str
    kind: Kind
    row_schema: dict[str, str]
    shards: tuple[Shard, ...]
    files: tuple[FileEntry, ...] = ()
    inputs: str
    made_from: dict[str, Any] = {}
    source: dict[str, Any]
    created: datetime.datetime = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def digest(self) -> str:
        """One SHA-256 for the rows and their schema, whatever their origin and time."""
        shards = [[shard.path, shard.rows, shard.sha256] for shard in self.shards]
        return fingerprint([self.project, self.kind, self.row_schema, shards])

    @property
    def version(self) -> str:
        """The version's name: the beginning of its digest."""
        return self.digest[:VERSION_LENGTH]

    @property
    def rows(self) -> int:
        """Rows in all the shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """Every file but the manifest itself."""
        return (*self.shards, *self.files)


def describe_schema(schema: pa.Schema) -> dict[str, str]:
    """The type of each column by its name, as stored in manifests."""
    return {column.name: str(column.type) for column in schema}
