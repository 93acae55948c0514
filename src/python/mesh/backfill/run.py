"""A backfill from beginning to end."""

import contextlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mesh.backfill.cluster import connected
from mesh.backfill.distribution import Distribution, stopping
from mesh.backfill.division import Part, divide
from mesh.backfill.inputs import InputFile, find_inputs
from mesh.backfill.job import Job, deciding, find_record, make_job, needed_columns, total_reasons
from mesh.backfill.manifest import (
    DATA,
    MANIFEST_FILE,
    RECORDS,
    REJECTED,
    SUCCESS_FILE,
    SUMMARY_FILE,
    BackfillManifest,
    ModelEntry,
    ShardRecord,
)
from mesh.backfill.models import describe_model, make_model, shown_variables
from mesh.backfill.progress import Progress, require_few_rejected
from mesh.backfill.requests import Requests
from mesh.backfill.settings import BackfillSettings
from mesh.backfill.storage import patiently
from mesh.backfill.verification import verify
from mesh.backfill.writing import PARTIAL
from mesh.core.environment import code_revision
from mesh.core.errors import MeshError
from mesh.core.locks import alone
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.tracing import annotate_version
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel

logger = logging.getLogger(__name__)

INTERRUPTED = 130
_THREADS = 8
_MB = 1024 * 1024


class Backfill:
    """A backfill of a project.

    Args:
        own: settings of the model.

    Raises:
        UsageError: the settings don't fit the input or the model.
        MeshError: the input can't be read, or there is no model.
    """

    def __init__(
        self,
        project: Project,
        settings: BackfillSettings,
        workspace: WorkspaceSettings,
        own: Sequence[MeshSettings],
    ) -> None:
        self._settings = settings
        directory = settings.model_directory or workspace.served_model(project)
        directory = directory.absolute() if directory else None
        model = make_model(project, directory, own)
        Requests(model, settings)
        self._files, self.parts, types = read_input(settings)
        self._model: ModelEntry = describe_model(project, directory, own, settings.precision)
        self.job: Job = make_job(project, directory, settings, self._model, types)
        self._columns = _column_names(self.job, model)

    def run(self) -> int:
        """Make what isn't finished; return 0 if all is, 130 if Ctrl-C was pressed.

        Raises:
            MeshError: it can't be made, or too many rows are rejected.
        """
        folder = self.job.folder
        annotate_version(self._model.version or self._model.name, self._model.fingerprint)
        with locked(folder.local):
            found = self._find_finished()
            todo = [part for part in self.parts if self.job.name(part) not in found]
            manifest = self.manifest(list(found.values()))
            if not todo and self._is_complete(manifest):
                self._require_few_rejected(manifest)
                logger.info("%s is up to date: %d rows", folder, manifest.rows)
                return 0
            if todo:
                patiently(lambda: folder.remove(SUCCESS_FILE), f"The output {folder}")
            logger.info("%d of %d shards are to be made in %s", len(todo), len(self.parts), folder)
            progress = Progress(self._settings, len(self.parts), list(found.values()))
            try:
                return self._complete(todo, progress)
            except MeshError:
                with contextlib.suppress(MeshError):
                    self._summarise(progress, "failed")
                raise

    def _complete(self, todo: Sequence[Part], progress: Progress) -> int:
        stopped = False
        with progress:
            if todo:
                stopped = self._make(todo, progress)
        if stopped:
            self._summarise(progress, "interrupted")
            return INTERRUPTED
        manifest = self.manifest([*progress.found, *progress.made])
        self._require_few_rejected(manifest)
        self._summarise(progress, "complete")
        self._finish(manifest)
        return 0

    def manifest(self, records: Sequence[ShardRecord]) -> BackfillManifest:
        """The manifest of finished shards."""
        by_name = {record.name: record for record in records}
        shards = tuple(
            by_name[name] for part in self.parts if (name := self.job.name(part)) in by_name
        )
        return BackfillManifest(
            project=self.job.project.name,
            model=self._model,
            code_revision=code_revision(),
            settings=deciding(self._settings),
            columns=self._columns,
            inputs=tuple(file.entry for file in self._files),
            rows=sum(shard.rows for shard in shards),
            rejected=sum(shard.rejected for shard in shards),
            reasons=total_reasons(shards),
            shards=shards,
        )

    def verify(self) -> int:
        """Compare the output with the input; return 0 if it is complete, 1 if it isn't."""
        return verify(self.job, self.parts)

    def _find_finished(self) -> dict[str, ShardRecord]:
        what = f"The output {self.job.folder}"
        listed = patiently(lambda: set(self.job.folder.names(RECORDS)), what)
        parts = [part for part in self.parts if f"{RECORDS}/{self.job.name(part)}.json" in listed]
        with ThreadPoolExecutor(_THREADS) as pool:
            records = pool.map(
                lambda part: patiently(lambda: find_record(self.job, part), what), parts
            )
            return {record.name: record for record in records if record is not None}

    def _is_complete(self, manifest: BackfillManifest) -> bool:
        def look() -> bool:
            content = self.job.folder.read(MANIFEST_FILE)
            done = self.job.folder.read(SUCCESS_FILE)
            return done is not None and content == _manifest_bytes(manifest)

        return patiently(look, f"The output {self.job.folder}")

    def _make(self, todo: Sequence[Part], progress: Progress) -> bool:
        """Make shards; return whether Ctrl-C kept some from being made."""
        with connected(self._settings, shown_variables(self.job.project)) as cluster:
            distribution = Distribution(self.job, cluster, progress.look)
            with stopping(distribution.stop):
                for record in distribution.run(todo):
                    progress.retries = distribution.retries
                    progress.add(record)
            return distribution.stopped and len(progress.made) < len(todo)

    def _finish(self, manifest: BackfillManifest) -> None:
        """Remove what doesn't belong to the results, and say that they are complete."""
        folder = self.job.folder
        kept = {MANIFEST_FILE}
        for record in manifest.shards:
            kept |= {f"{RECORDS}/{record.name}.json", record.data.path}
            kept |= {record.rejects.path} if record.rejects else set()

        def finish() -> None:
            for below in (DATA, REJECTED, RECORDS):
                for name in folder.names(below):
                    if name not in kept:
                        folder.remove(name)
            folder.write(MANIFEST_FILE, _manifest_bytes(manifest))
            folder.write(SUCCESS_FILE, b"")

        patiently(finish, f"The output {folder}")

    def _require_few_rejected(self, manifest: BackfillManifest) -> None:
        require_few_rejected(
            self._settings, manifest.rows, manifest.rejected, dict(manifest.reasons)
        )

    def _summarise(self, progress: Progress, state: str) -> None:
        summary = {
            "state": state,
            "project": self.job.project.name,
            "model": self._model.version,
            "fingerprint": self._model.fingerprint,
            "output": str(self.job.folder),
            **progress.figures(),
        }
        content = json.dumps(summary, indent=2).encode() + b"\n"
        what = f"The output {self.job.folder}"
        patiently(lambda: self.job.folder.write(SUMMARY_FILE, content), what)
        logger.info(
            "%s: %d rows and %d rejected in %d of %d shards, %d of them made in %.1f s, in %s",
            state,
            summary["rows"],
            summary["rejected"],
            summary["shards_made"] + summary["shards_found"],
            summary["shards"],
            summary["shards_made"],
            summary["seconds"],
            self.job.folder,
        )


def read_input(
    settings: BackfillSettings,
) -> tuple[list[InputFile], list[Part], Mapping[str, Any]]:
    """The files of the input, their parts, and the types of columns.

    Raises:
        UsageError: a pattern has no file, or a file lacks a column.
        MeshError: a file can't be read.
    """
    files = patiently(
        lambda: find_inputs(settings.input, settings.format, settings.delimiter), "The input"
    )
    shard_bytes = int(settings.shard_mb * _MB)
    parts, types = patiently(
        lambda: divide(files, shard_bytes, needed_columns(settings)), "The input"
    )
    return files, parts, types


def _column_names(job: Job, model: ServedModel) -> dict[str, str]:
    schema = job.columns(model).schema
    return {name: str(schema.field(name).type) for name in schema.names}


def _manifest_bytes(manifest: BackfillManifest) -> bytes:
    return manifest.model_dump_json(indent=2).encode() + b"\n"


@contextlib.contextmanager
def locked(local: Path | None) -> Iterator[None]:
    """Keep other backfills out of a local folder, and remove what killed ones left of files.

    Raises:
        MeshError: another one writes there now, or the folder can't be written.
    """
    if local is None:
        # Two runs write equal objects.
        yield
        return
    in_use = f"Another backfill writes to {local} now; wait for its end."
    with alone(local / ".lock", in_use, called=f"The output {local}"):
        shutil.rmtree(local / PARTIAL, ignore_errors=True)
        yield
