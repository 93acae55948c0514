"""The manifest of a backfill: what was computed from which input, by which model.

    OUTPUT/model=<16 digits of the model's fingerprint>/
        data/<input>-<shard>-<key>.parquet          predictions, one file for each shard
        rejected/<input>-<shard>-<key>.parquet      rows without a prediction, with the reason
        _shards/<input>-<shard>-<key>.json          the `ShardRecord` of each finished shard
        _summary.json                               figures of the last run
        manifest.json                               `BackfillManifest`
        _SUCCESS                                    empty; comes last

Readers of Parquet pass over names with an underscore, so `data/` is a table. The manifest holds no
times: equal inputs, models and settings make equal bytes.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mesh.core.manifest import MANIFEST_FILE, FileEntry

__all__ = ["MANIFEST_FILE"]

DATA = "data"
REJECTED = "rejected"
RECORDS = "_shards"
SUMMARY_FILE = "_summary.json"
SUCCESS_FILE = "_SUCCESS"

DIGITS = 16
"""Of a fingerprint, in the names of folders and files."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class ModelEntry(_Record):
    """The model that predicted.

    Args:
        name: of the project, as in the server's URLs.
        version: such as `SENTIMENT-COMPILED-3`; None where the code is the model.
        fingerprint: digest of `made_from`.
        made_from: by the names of `mesh.core.inputs`: the version's fingerprint, files of code, packages
            and settings.
    """

    name: str
    version: str | None
    fingerprint: str
    made_from: dict[str, Any]


class InputEntry(_Record):
    """A file of the input.

    Args:
        name: relative to the folder that its pattern begins with; ids and outputs are named by it.
        url: without passwords.
        size: bytes.
        version: `sha256:...` of a local file, else what the store calls the object's state, such as
            `ETag:...`.
    """

    name: str
    url: str
    size: int
    version: str


class ShardRecord(_Record):
    """A finished shard: the files made from a part of one input file.

    Args:
        name: of its files, without suffix.
        key: digest of the model, the settings and the part of the input; others make other files.
        input: the name of the input file.
        shard: its number in this file, from 0.
        first_row: the number of its first row in this file, from 0.
        rows: predictions, in `data`.
        rejected: rows in `rejects`.
        reasons: the number of rejected rows by reason.
        data: file of predictions; its path is relative to the folder of the manifest.
        rejects: file of rejected rows, if there are any.
    """

    name: str
    key: str
    input: str
    shard: int
    first_row: int
    rows: int
    rejected: int
    reasons: dict[str, int]
    data: FileEntry
    rejects: FileEntry | None


class BackfillManifest(_Record):
    """All that belongs to a complete backfill.

    Args:
        project: the project's name.
        code_revision: of the code that ran, as in model cards.
        settings: those that decide the output.
        columns: the Arrow type of each column of `data`.
        rows, rejected, reasons: over all shards.
    """

    schema_version: Literal[1] = 1
    project: str
    model: ModelEntry
    code_revision: str
    settings: dict[str, Any]
    columns: dict[str, str]
    inputs: tuple[InputEntry, ...]
    rows: int
    rejected: int
    reasons: dict[str, int] = Field(default_factory=dict)
    shards: tuple[ShardRecord, ...]


def model_folder(fingerprint: str) -> str:
    """The folder of a model's results below the output; engines take it for a partition."""
    return f"model={fingerprint[:DIGITS]}"
