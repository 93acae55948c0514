"""The MLflow run that carries a new version's files: begun, resumed, or removed again."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlflow.exceptions import MlflowException

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.core.progress import Advance
from mesh.registry.mlflow import files
from mesh.registry.mlflow.store import Store
from mesh.registry.mlflow.unfinished import Unfinished, open_unfinished
from mesh.registry.transfer import FileState, for_each

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def new_run(
    store: Store, name: str, directory: Path, content: Mapping[str, FileState]
) -> Iterator[tuple[str, str, files.Upload]]:
    """A run for a new version's files: its id, the URI of its files, and the way to store them.

    If no version is created, the run is removed again. An interrupted upload to another machine is
    kept: the next publish of the same content resumes it.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(store.publishing())
        unfinished, shared = Unfinished(), None
        entries: tuple[FileEntry, ...] = ()
        if isinstance(store.artifacts, Path):
            shared = store.artifacts
        else:
            entries = _digest(name, directory, content)
            opened = open_unfinished(store.settings, name, Manifest(files=entries))
            unfinished = stack.enter_context(opened)
        run_id, uri = _resume(store, unfinished) or store.start_run(name)
        unfinished.begin(run_id, uri)
        repository = store.repository(run_id, uri, files.FILES)
        try:
            digested = {entry.path: (content[entry.path], entry) for entry in entries}
            yield run_id, uri, files.Upload(repository, shared, unfinished, digested)
        except BaseException as error:
            if unfinished.kept and not isinstance(error, MeshError):
                logger.info("publish %s again to resume the upload", directory)
            else:
                unfinished.end()
                _remove_unused(store, run_id, uri)
            raise
        unfinished.end()


def _digest(name: str, directory: Path, content: Mapping[str, FileState]) -> tuple[FileEntry, ...]:
    """Digest a directory's files before the upload, to find what an interrupted one stored."""

    def digest(path: str, advance: Advance) -> FileEntry:
        entry = FileEntry.of(directory / path, path)
        advance(entry.size)
        return entry

    sizes = {path: state.size for path, state in content.items()}
    entries = for_each(digest, sizes, f"digesting {name}")
    return tuple(sorted(entries, key=lambda entry: entry.path))


def _resume(store: Store, unfinished: Unfinished) -> tuple[str, str] | None:
    """The run of an interrupted publish, if it still exists with all the files stored by it."""
    progress = unfinished.progress
    if not progress.run_id:
        return None
    try:
        run = store.client.get_run(progress.run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    named = store.client.search_model_versions(f"run_id = '{progress.run_id}'")
    if named or run.info.lifecycle_stage != "active":
        return None
    repository = store.repository(progress.run_id, progress.address, files.FILES)
    sizes = files.stored_sizes(repository)
    if any(sizes.get(path) != entry.size for path, entry in progress.stored.items()):
        return None
    logger.info("resuming with %d files that are already stored", len(progress.stored))
    return progress.run_id, progress.address


def _remove_unused(store: Store, run_id: str, uri: str) -> None:
    """Remove a run and its files, unless a version names it, or may name it.

    A signal may arrive, or a server's response may be lost, when the version is already visible.
    """
    try:
        if store.client.search_model_versions(f"run_id = '{run_id}'"):
            return
        files.remove(store, run_id, uri, files.FILES)
        store.client.delete_run(run_id)
    except (MlflowException, OSError) as error:
        logger.warning(
            "the files of run %s were kept, though perhaps no version uses them: %s",
            run_id,
            store.settings.hide_passwords(str(error)),
        )
