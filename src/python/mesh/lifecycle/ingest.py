"""`ingest:ingest`: bring raw labelled data into the internal storage as an immutable version."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import atomic_directory
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.progress import track
from mesh.core.project import Project
from mesh.core.roots import INGESTING
from mesh.core.status import Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.dataset import Dataset, load_dataset
from mesh.data.formats import read_file
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.shards import Shard, arrow_schema, write_shards
from mesh.data.sources import FORMATS, SourceFile, find_files, sample_files
from mesh.data.status import status_of_data
from mesh.data.store import DataSettings, DataStore
from mesh.data.validation import REJECTS_FILE, Rejects, RowReader
from mesh.lifecycle.ingest_settings import SHIPPED, IngestSettings, Source

logger = logging.getLogger(__name__)

PART = "all"


def ingest(
    dataset: Dataset, settings: IngestSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Store the source's rows as a raw version, unless that was already done.

    Raises:
        UsageError: the format is unknown.
        MeshError: the source can't be read, or too many of its rows are malformed.
    """
    files = _files(dataset, settings)
    made_from = ingest_inputs(dataset, files, settings)
    inputs = fingerprint(made_from)
    store = DataStore(dataset.project, "raw", data)
    if not settings.force and (found := store.find(inputs)):
        store.set_latest(found.version)
        logger.info("%s is up to date: nothing it depends on has changed", store.url(found.version))
        return
    output = workspace.output(dataset.project, "ingest")
    with atomic_directory(output, replace=True) as folder:
        written = _write(dataset, files, folder)
        problem = _problem(written, settings)
        if not problem:
            manifest = DataManifest(
                project=dataset.project.name,
                kind="raw",
                row_schema=describe_schema(arrow_schema(dataset.row)),
                shards=tuple(written.shards),
                files=(FileEntry.of(folder / REJECTS_FILE, REJECTS_FILE),),
                inputs=inputs,
                made_from=made_from,
                source={
                    "files": [file.description for file in files],
                    "rejected": written.rejected,
                },
            )
            known = manifest.version in store.versions()
            store.publish(folder, manifest)
            state = "already has these rows" if known else "is stored"
            logger.info(
                "%s %s: %d rows, %d rejected",
                store.url(manifest.version),
                state,
                manifest.rows,
                written.rejected,
            )
        # The rejects stay for inspection; the rows are stored or not needed.
        for shard in written.shards:
            (folder / shard.path).unlink()
    if problem:
        raise MeshError(f"{problem}; see {output / REJECTS_FILE}.")


@dataclass(frozen=True)
class _File:
    """A file with the settings of its source."""

    source: Source
    file: SourceFile
    format: str

    @property
    def description(self) -> dict[str, Any]:
        """What identifies its content."""
        return {"name": self.file.name, "size": self.file.size, "revision": self.file.revision}


@dataclass(frozen=True)
class _Written:
    """Stored rows, the number of rejected ones, and how they could be read better."""

    shards: Sequence[Shard]
    rejected: int
    advice: str


def _files(dataset: Dataset, settings: IngestSettings) -> list[_File]:
    return [
        _File(source, file, _format(file, source.format))
        for source in settings.sources
        for file in (
            sample_files(dataset.samples) if source.source == SHIPPED else find_files(source.source)
        )
    ]


def _format(file: SourceFile, given: str) -> str:
    name = given or file.format
    if name not in FORMATS.values():
        raise UsageError(
            f"The format of {file.name} is {name or 'not clear from its name'}; set INGEST_FORMAT "
            f"to one of {', '.join(sorted(set(FORMATS.values())))}."
        )
    return str(name)


def ingest_inputs(dataset: Dataset, files: Sequence[_File], settings: IngestSettings) -> Inputs:
    """Everything that determines a raw version."""
    sources = [source.model_dump(mode="json", exclude={"source"}) for source in settings.sources]
    own = {"sources": sources} if len(sources) > 1 or sources[0]["weight"] < 1 else {}
    return {
        "data": fingerprint([file.description for file in files]),
        "row schema": fingerprint(dataset.row.model_json_schema()),
        **setting_inputs(settings.model_dump(mode="json", exclude={"source", "force"})),
        **setting_inputs({"format": [file.format for file in files], **own}),
        **code_inputs((dataset.row.__module__, *INGESTING)),
    }


def _write(dataset: Dataset, files: Sequence[_File], folder: Path) -> _Written:
    """Write shards and rejects."""
    with (folder / REJECTS_FILE).open("w", encoding="utf-8") as opened:
        rejects = Rejects(opened)
        advice: list[str] = []

        def rows() -> Iterator[dict[str, Any]]:
            for file in files:
                logger.info("reading %s", file.file.name)
                source = file.source
                reader = RowReader(dataset.row, source.translation, source.counting, rejects)
                with file.file.local(folder) as path:
                    raw = read_file(path, file.format, source.reading)
                    for row in reader.read(raw, file.file.name):
                        if source.weight == 1 or source.takes(row.text):
                            yield row.model_dump(mode="json")
                if found := reader.check.advice():
                    advice.append(f"{file.file.name}: {found}")

        shards = write_shards(track(rows(), "reading"), arrow_schema(dataset.row), folder, PART)
    return _Written(shards, rejects.count, "; ".join(advice))


def _problem(written: _Written, settings: IngestSettings) -> str:
    rows = sum(shard.rows for shard in written.shards)
    advice = f"; {written.advice}" if written.advice else ""
    if rows == 0:
        return f"No row fits the project's schema; {written.rejected} are malformed{advice}"
    share = written.rejected / (rows + written.rejected)
    if share > settings.max_rejected_share:
        return (
            f"{written.rejected} of {rows + written.rejected} rows ({share:.1%}) are malformed, "
            f"more than INGEST_MAX_REJECTED_SHARE={settings.max_rejected_share:g} allows{advice}"
        )
    if written.advice:
        logger.warning("%s", written.advice)
    return ""


def status(
    dataset: Dataset, settings: IngestSettings, _workspace: WorkspaceSettings, data: DataSettings
) -> Status:
    """Whether the rows that would be read now are stored."""
    inputs = ingest_inputs(dataset, _files(dataset, settings), settings)
    return status_of_data(DataStore(dataset.project, "raw", data), inputs)


def program(project: Project) -> Program:
    """The program `ingest:ingest` of a project."""
    return Program(
        component=f"{project.package}.ingest",
        name="ingest",
        run=partial(ingest, load_dataset(project)),
        status=partial(status, load_dataset(project)),
        settings=(IngestSettings, WorkspaceSettings, DataSettings),
    )
