"""`ingest:ingest`: bring raw labelled data into the internal storage as an immutable version."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, field_serializer, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import atomic_directory
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.progress import track
from mesh.core.project import Project
from mesh.core.roots import INGESTING
from mesh.core.settings import MeshSettings
from mesh.core.status import Status
from mesh.core.urls import mask_url
from mesh.core.workspace import WorkspaceSettings
from mesh.data.dataset import Dataset, load_dataset
from mesh.data.formats import Reading, read_file
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.offsets import Offsets
from mesh.data.shards import Shard, arrow_schema, write_shards
from mesh.data.sources import FORMATS, SourceFile, file_format, find_files, sample_files
from mesh.data.status import status_of_data
from mesh.data.store import DataSettings, DataStore
from mesh.data.text_files import check_encoding
from mesh.data.translation import Translation
from mesh.data.validation import REJECTS_FILE, Rejects, RowReader

logger = logging.getLogger(__name__)

PART = "all"


class IngestSettings(MeshSettings):
    """Read labelled data, check every row, store it as the next raw version."""

    model_config = SettingsConfigDict(env_prefix="INGEST_")

    source: str = Field(
        "",
        description="File, folder or pattern: a path, s3://..., gs://..., or "
        "hf://datasets/org/name@revision/path; by default the project's samples.",
    )
    format: str = Field(
        "",
        description=f"{', '.join(sorted(set(FORMATS.values())))}; by default according to the "
        "files' names.",
    )
    columns: list[str] = Field(
        [],
        description="JSON list: names of the columns of CSV and TSV files without a header, or of "
        "CoNLL files, with token and tag among them.",
    )
    delimiter: str = Field(
        "", description="Between the columns of tables; by default found by their first lines."
    )
    encoding: str = Field(
        "", description="Of text files, such as cp1252; by default found by their bytes."
    )
    rename: dict[str, str] = Field(
        {}, description='JSON object: the project\'s names of fields, such as {"sentence": "text"}.'
    )
    values: dict[str, dict[str, str | None]] = Field(
        {},
        description="JSON object: the project's values of a field, such as "
        '{"label": {"0": "negative"}}; null drops an entity.',
    )
    defaults: dict[str, Any] = Field(
        {},
        description="JSON object: values for fields that the data lacks, such as "
        '{"language": "en"}.',
    )
    max_rejected_share: float = Field(
        0.01, ge=0, le=1, description="Fraction of malformed rows above which nothing is stored."
    )
    force: bool = Field(False, description="Read the source even if nothing has changed.")

    offsets: str = Field(
        "characters",
        description="How the places of entities are counted: characters, utf16 (code units) or "
        "bytes, from-1, inclusive (ends), joined by commas.",
    )

    @field_validator("offsets")
    @classmethod
    def _are_known(cls, offsets: str) -> str:
        return str(Offsets.parse(offsets))

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        return check_encoding(encoding) if encoding else encoding

    @field_serializer("source", when_used="json")
    def masked(self, source: str) -> str:
        """The source without secrets."""
        return mask_url(source) if "://" in source else source


def ingest(
    dataset: Dataset, settings: IngestSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Store the source's rows as a raw version, unless that was already done.

    Raises:
        UsageError: the format is unknown.
        MeshError: the source can't be read, or too many of its rows are malformed.
    """
    files, formats = _source(dataset, settings)
    made_from = ingest_inputs(dataset, files, formats, settings)
    inputs = fingerprint(made_from)
    store = DataStore(dataset.project, "raw", data)
    if not settings.force and (found := store.find(inputs)):
        store.set_latest(found.version)
        logger.info("%s is up to date: nothing it depends on has changed", store.url(found.version))
        return
    output = workspace.output(dataset.project, "ingest")
    with atomic_directory(output, replace=True) as folder:
        shards, rejected, advice = _write(dataset, settings, files, formats, folder)
        problem = _problem(sum(shard.rows for shard in shards), rejected, settings)
        if advice:
            problem = f"{problem}; {advice}" if problem else ""
            logger.warning("%s", advice)
        if not problem:
            manifest = DataManifest(
                project=dataset.project.name,
                kind="raw",
                row_schema=describe_schema(arrow_schema(dataset.row)),
                shards=tuple(shards),
                files=(FileEntry.of(folder / REJECTS_FILE, REJECTS_FILE),),
                inputs=inputs,
                made_from=made_from,
                source={"files": [_describe(file) for file in files], "rejected": rejected},
            )
            known = manifest.version in store.versions()
            store.publish(folder, manifest)
            state = "already has these rows" if known else "is stored"
            logger.info(
                "%s %s: %d rows, %d rejected",
                store.url(manifest.version),
                state,
                manifest.rows,
                rejected,
            )
        # The rejects stay for inspection; the rows are stored or not needed.
        for shard in shards:
            (folder / shard.path).unlink()
    if problem:
        raise MeshError(f"{problem}; see {output / REJECTS_FILE}.")


def _source(dataset: Dataset, settings: IngestSettings) -> tuple[Sequence[SourceFile], list[str]]:
    """The files to read, and the format of each."""
    files = find_files(settings.source) if settings.source else sample_files(dataset.samples)
    return files, [_format(file, settings.format) for file in files]


def _format(file: SourceFile, given: str) -> str:
    name = given or file_format(file.path)
    if name not in FORMATS.values():
        raise UsageError(
            f"The format of {file.name} is {name or 'not clear from its name'}; set INGEST_FORMAT "
            f"to one of {', '.join(sorted(set(FORMATS.values())))}."
        )
    return str(name)


def ingest_inputs(
    dataset: Dataset, files: Sequence[SourceFile], formats: Sequence[str], settings: IngestSettings
) -> Inputs:
    """Everything that determines a raw version."""
    return {
        "data": fingerprint([_describe(file) for file in files]),
        "row schema": fingerprint(dataset.row.model_json_schema()),
        **setting_inputs(settings.model_dump(mode="json", exclude={"source", "force"})),
        **setting_inputs({"format": list(formats)}),
        **code_inputs((dataset.row.__module__, *INGESTING)),
    }


def _describe(file: SourceFile) -> dict[str, Any]:
    return {"name": file.name, "size": file.size, "revision": file.revision}


def _write(
    dataset: Dataset,
    settings: IngestSettings,
    files: Sequence[SourceFile],
    formats: Sequence[str],
    folder: Path,
) -> tuple[list[Shard], int, str]:
    """Write shards and rejects; return the shards, the number of rejected rows, and advice."""
    translation = Translation(settings.rename, settings.values, settings.defaults)
    reading = Reading(settings.columns, settings.delimiter, settings.encoding)
    with (folder / REJECTS_FILE).open("w", encoding="utf-8") as file:
        rejects = Rejects(file)
        reader = RowReader(dataset.row, translation, Offsets.parse(settings.offsets), rejects)

        def rows() -> Iterator[dict[str, Any]]:
            for source, name in zip(files, formats, strict=True):
                logger.info("reading %s", source.name)
                with source.local(folder) as path:
                    raw = read_file(path, name, reading)
                    for row in reader.read(raw, source.name):
                        yield row.model_dump(mode="json")

        shards = write_shards(track(rows(), "reading"), arrow_schema(dataset.row), folder, PART)
    return shards, rejects.count, reader.check.advice()


def _problem(rows: int, rejected: int, settings: IngestSettings) -> str:
    if rows == 0:
        return f"No row fits the project's schema; {rejected} are malformed"
    share = rejected / (rows + rejected)
    if share > settings.max_rejected_share:
        return (
            f"{rejected} of {rows + rejected} rows ({share:.1%}) are malformed, more than "
            f"INGEST_MAX_REJECTED_SHARE={settings.max_rejected_share:g} allows"
        )
    return ""


def status(
    dataset: Dataset, settings: IngestSettings, _workspace: WorkspaceSettings, data: DataSettings
) -> Status:
    """Whether the rows that would be read now are stored."""
    files, formats = _source(dataset, settings)
    inputs = ingest_inputs(dataset, files, formats, settings)
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
