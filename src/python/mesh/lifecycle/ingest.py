"""`ingest:ingest`: bring raw labelled data into the internal storage as an immutable version."""

import io
import itertools
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, write_json_atomic
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.progress import track
from mesh.core.project import Project
from mesh.core.roots import INGESTING
from mesh.core.status import Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.account import ACCOUNT_FILE, REJECTS_FILE, Account, Rejects
from mesh.data.dataset import Dataset, TextRow, load_dataset
from mesh.data.formats import read_file
from mesh.data.labels import LabelCounts, known_labels
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.preview import show_rows
from mesh.data.settings import DataSettings
from mesh.data.shards import Shard, arrow_schema, write_shards
from mesh.data.status import status_of_data
from mesh.data.store import DataStore
from mesh.data.validation import RowReader
from mesh.lifecycle.ingest_files import File, files_of
from mesh.lifecycle.ingest_settings import IngestSettings
from mesh.nlp.document import read_document

logger = logging.getLogger(__name__)

PART = "all"
_SHOWN_ROWS = 10
_NOT_TAKEN = "beyond the weight of its source"


@dataclass(frozen=True)
class _Written:
    """Stored rows, the account of all rows, and how they could be read better."""

    shards: Sequence[Shard]
    account: Account
    advice: str


def ingest(
    dataset: Dataset, settings: IngestSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Store the source's rows as a raw version, unless that was already done.

    Raises:
        UsageError: the format is unknown.
        MeshError: the source can't be read, or too many of its rows are malformed.
    """
    files = files_of(dataset, settings)
    made_from = ingest_inputs(dataset, files, settings)
    inputs = fingerprint(made_from)
    store = DataStore(dataset.project, "raw", data)
    if not (settings.force or settings.dry_run) and (found := store.find(inputs)):
        store.set_latest(found.version)
        logger.info("%s is up to date: nothing it depends on has changed", store.url(found.version))
        return
    if settings.dry_run:
        show_rows(_first_rows(dataset, files))
        return
    output = workspace.output(dataset.project, "ingest")
    with atomic_directory(output, replace=True) as folder:
        written = _write(dataset, files, folder)
        problem = _problem(written, settings)
        rejected = written.account.read - written.account.taken
        if not problem:
            manifest = DataManifest(
                project=dataset.project.name,
                kind="raw",
                row_schema=describe_schema(arrow_schema(dataset.row)),
                shards=tuple(written.shards),
                files=tuple(
                    FileEntry.of(folder / name, name) for name in (ACCOUNT_FILE, REJECTS_FILE)
                ),
                inputs=inputs,
                made_from=made_from,
                source={
                    "files": [file.description for file in files],
                    "rejected": rejected,
                    "account": written.account.numbers,
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
                rejected,
            )
        # The rejects stay for inspection; the rows are stored or not needed.
        for shard in written.shards:
            (folder / shard.path).unlink()
    written.account.show()
    if problem:
        raise MeshError(f"{problem}; see {output / REJECTS_FILE}.")


def _first_rows(dataset: Dataset, files: Sequence[File]) -> Iterator[TextRow]:
    """The first rows of each source as a model sees them: translated, and cleaned as features are."""
    rejects = Rejects(io.StringIO())
    of_sources = [list(some) for _, some in itertools.groupby(files, lambda file: id(file.source))]
    for some in of_sources:
        shown = max(1, _SHOWN_ROWS // len(of_sources))
        yield from itertools.islice(_cleaned_rows(dataset, some, rejects), shown)
    if rejects.count:
        rejects.account(0).show()


def _cleaned_rows(dataset: Dataset, files: Sequence[File], rejects: Rejects) -> Iterator[TextRow]:
    with tempfile.TemporaryDirectory() as folder:
        for file, row in _rows(dataset, files, Path(folder), rejects, []):
            try:
                yield row.cleaned(read_document(row.text, language=row.language))
            except ValueError as error:
                rejects.add(file.file.name, None, str(error), row.text, kind="clean-up")


def _rows(
    dataset: Dataset, files: Sequence[File], folder: Path, rejects: Rejects, advice: list[str]
) -> Iterator[tuple[File, TextRow]]:
    """Yield the rows of all files as the project's.

    Args:
        folder: for downloads.
        rejects: receives the other rows.
        advice: receives how a file could be read better.
    """
    for file in files:
        logger.info("reading %s", file.file.name)
        source = file.source
        reader = RowReader(dataset.row, source.translation, source.counting, rejects)
        with file.file.local(folder) as path:
            raw = read_file(path, file.format, source.reading)
            yield from ((file, row) for row in reader.read(raw, file.file.name))
        if found := reader.check.advice():
            advice.append(f"{file.file.name}: {found}")


def ingest_inputs(dataset: Dataset, files: Sequence[File], settings: IngestSettings) -> Inputs:
    """Everything that determines a raw version."""
    own = {"sources": settings.own} if settings.own else {}
    return {
        "data": fingerprint([file.description for file in files]),
        "row schema": fingerprint(dataset.row.model_json_schema()),
        **setting_inputs(settings.model_dump(mode="json", exclude={"source", "force", "dry_run"})),
        **setting_inputs({"format": [file.format for file in files], **own}),
        **code_inputs((dataset.row.__module__, *INGESTING)),
    }


def _write(dataset: Dataset, files: Sequence[File], folder: Path) -> _Written:
    """Write shards and rejects."""
    with (folder / REJECTS_FILE).open("w", encoding="utf-8") as opened:
        rejects = Rejects(opened)
        advice: list[str] = []
        labels = LabelCounts()

        def rows() -> Iterator[dict[str, Any]]:
            for file, row in _rows(dataset, files, folder, rejects, advice):
                if file.source.takes(row.text):
                    labels.add(row)
                    yield row.model_dump(mode="json")
                else:
                    rejects.add(file.file.name, None, _NOT_TAKEN, row.text, kind=_NOT_TAKEN)

        shards = write_shards(track(rows(), "reading"), arrow_schema(dataset.row), folder, PART)
    account = rejects.account(
        sum(shard.rows for shard in shards), warnings=labels.warnings(known_labels(dataset.row))
    )
    write_json_atomic(folder / ACCOUNT_FILE, account.model_dump())
    return _Written(shards, account, "; ".join(advice))


def _problem(written: _Written, settings: IngestSettings) -> str:
    account = written.account
    by_weight = account.dropped.get(_NOT_TAKEN)
    malformed = account.read - account.taken - (by_weight.rows if by_weight else 0)
    advice = f"; {written.advice}" if written.advice else ""
    if account.taken == 0:
        return f"No row fits the project's schema: {account.commonest or 'there is none'}{advice}"
    share = malformed / account.read
    if share > settings.max_rejected_share:
        return (
            f"{malformed} of {account.read} rows ({share:.1%}) are malformed, more than "
            f"INGEST_MAX_REJECTED_SHARE={settings.max_rejected_share:g} allows, most of them: "
            f"{account.commonest}{advice}"
        )
    if written.advice:
        logger.warning("%s", written.advice)
    return ""


def status(
    dataset: Dataset, settings: IngestSettings, _workspace: WorkspaceSettings, data: DataSettings
) -> Status:
    """Whether the rows that would be read now are stored."""
    inputs = ingest_inputs(dataset, files_of(dataset, settings), settings)
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
