"""What workers need to know to make a shard, and the name and key of each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.backfill.columns import ID, Columns
from mesh.backfill.division import Part
from mesh.backfill.manifest import DIGITS, RECORDS, ModelEntry, ShardRecord, model_folder
from mesh.backfill.settings import BackfillSettings
from mesh.backfill.storage import Folder
from mesh.core.digest import fingerprint
from mesh.core.errors import UsageError
from mesh.core.inputs import Inputs, code_inputs
from mesh.core.project import Project
from mesh.serve.model import ServedModel

DECIDING = (
    "text",
    "id",
    "language",
    "language_column",
    "configuration",
    "configuration_column",
    "carry",
)
"""The settings that decide what is written of a part of the input."""

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME = 80


@dataclass(frozen=True)
class Job:
    """A backfill, as it is sent to workers.

    Args:
        directory: of the compiled version, where the driver has it.
        folder: of the results.
        model: fingerprint of the model.
        decided: digest of what decides a shard beside its part of the input.
        types: Arrow types of the columns that are copied, `id` first.
    """

    project: Project
    directory: Path | None
    settings: BackfillSettings
    folder: Folder
    model: str
    decided: str
    types: Mapping[str, Any]

    def key(self, part: Part) -> str:
        """The digest of all that decides the shard of a part."""
        file = part.file
        place = [part.first_row, part.start, part.stop]
        reading = [file.format, file.compression, file.delimiter]
        return fingerprint([self.decided, file.name, file.version, reading, place])

    def name(self, part: Part) -> str:
        """The name of a shard's files, without suffix."""
        # Readers pass over names that begin with an underscore or a dot.
        stem = _NAME.sub("_", part.file.name)[-_MAX_NAME:].lstrip("._") or "input"
        return f"{stem}-{part.number:05}-{self.key(part)[:DIGITS]}"

    def columns(self, model: ServedModel) -> Columns:
        """The columns of the output."""
        return Columns(model.response_model, self.types)


def make_job(
    project: Project,
    directory: Path | None,
    settings: BackfillSettings,
    model: ModelEntry,
    found: Mapping[str, Any],
) -> Job:
    """Put together what workers need.

    Args:
        found: Arrow types of the input's columns, where all files agree.
    """
    types = column_types(settings, found)
    shown = {name: str(kind) for name, kind in types.items()}
    decided = fingerprint([model.fingerprint, deciding(settings), shown, _code()])
    url = f"{settings.output.rstrip('/')}/{model_folder(model.fingerprint)}"
    folder = Folder(url if "://" in url else str(Path(url).absolute()))
    return Job(project, directory, settings, folder, model.fingerprint, decided, types)


def deciding(settings: BackfillSettings) -> dict[str, Any]:
    """The settings that decide the output, as the manifest shows them."""
    values = settings.model_dump(mode="json")
    return {name: values[name] for name in DECIDING}


def needed_columns(settings: BackfillSettings) -> list[str]:
    """The columns that an input must have, each once."""
    asked = (
        settings.text,
        settings.id,
        settings.language_column,
        settings.configuration_column,
        *settings.carry,
    )
    return list(dict.fromkeys(filter(None, asked)))


def column_types(settings: BackfillSettings, found: Mapping[str, Any]) -> dict[str, Any]:
    """The Arrow types of `id` and of the columns that are copied: strings, unless all files agree.

    Raises:
        UsageError: another column than the ids' is called `id`.
    """
    import pyarrow as pa

    if ID in settings.carry and settings.id != ID:
        raise UsageError(
            f"The column {ID!r} can't be carried over, since results have their ids there; "
            f"name it by --id {ID}, or rename it."
        )
    of_id = found.get(settings.id, pa.string())
    types = {ID: of_id if pa.types.is_integer(of_id) else pa.string()}
    for name in settings.carry:
        kind = found.get(name, pa.string())
        types.setdefault(name, pa.string() if pa.types.is_null(kind) else kind)
    return types


def find_record(job: Job, part: Part) -> ShardRecord | None:
    """The record of a part's shard, if it is finished and all its files are whole."""
    content = job.folder.read(f"{RECORDS}/{job.name(part)}.json")
    if content is None:
        return None
    try:
        record = ShardRecord.model_validate_json(content)
    except ValueError:
        return None
    files = [record.data, *([record.rejects] if record.rejects else [])]
    whole = record.key == job.key(part) and all(map(job.folder.holds, files))
    return record if whole else None


def _code() -> Inputs:
    """What decides how shards are made, beside the model."""
    return code_inputs(["mesh.backfill.shard"])


def total_reasons(records: Sequence[ShardRecord]) -> dict[str, int]:
    """The number of rejected rows by reason, sorted, over several shards."""
    totals: dict[str, int] = {}
    for record in records:
        for reason, count in record.reasons.items():
            totals[reason] = totals.get(reason, 0) + count
    return dict(sorted(totals.items()))
