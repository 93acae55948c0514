"""Files of versions in MLflow's artifact storage."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from pathlib import PurePosixPath

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from mesh.core.errors import MeshError
from mesh.core.files import safe_path
from mesh.core.manifest import FileEntry
from mesh.core.manifest import Manifest
from mesh.core.progress import track
from mesh.registry.local_files import copy_file
from mesh.registry.local_files import share
from mesh.registry.local_files import sweep
from mesh.registry.mlflow_records import ATTACHMENT_FILE
from mesh.registry.mlflow_records import Record
from mesh.registry.mlflow_records import StoredAttachment
from mesh.registry.mlflow_store import Store
from mesh.registry.transfer import OWN_FILES
from mesh.registry.transfer import record_problems
from mesh.registry.transfer import with_own_entry

FILES = "version"
ATTACHMENTS = "attachments"


def repository(store: Store, record: Record, folder: str) -> ArtifactRepository:
    """A folder of the artifacts that belong to a version."""
    return store.repository(record.run_id, record.source.removesuffix(f"/{FILES}"), folder)


def upload(target: ArtifactRepository, file: Path, path: str) -> FileEntry:
    """Store a file at a path, whose last part is the file's name, and give what was stored.

    Raises:
        MeshError: the file changed meanwhile.
    """
    if folder := _folder(target):
        return copy_file(file, safe_path(folder, path), path)
    entry = FileEntry.of(file, path)
    parent = PurePosixPath(path).parent.as_posix()
    target.log_artifact(str(file), None if parent == "." else parent)  # type: ignore[no-untyped-call]
    if FileEntry.of(file, path) != entry:
        raise MeshError(f"{file} changed while it was being published; publish it again.")
    return entry


def share_file(store: Store, target: ArtifactRepository, entry: FileEntry) -> FileEntry:
    """Let a stored file be one with the identical ones of other versions, where the storage is a folder."""
    folder = _folder(target)
    if folder and isinstance(store.artifacts, Path):
        share(safe_path(folder, entry.path), entry, store.artifacts)
    return entry


def download(source: ArtifactRepository, path: str, directory: Path) -> FileEntry:
    """Copy a stored file to the same path below an existing directory, and give what was copied.

    Raises:
        MeshError: there is no such file.
    """
    try:
        if folder := _folder(source):
            return copy_file(safe_path(folder, path), directory / path, path)
        # With a destination: without one MLflow hands out the store's own file.
        copy = source.download_artifacts(path, str(directory))  # type: ignore[no-untyped-call]
        return FileEntry.of(Path(copy), path)
    except (MlflowException, FileNotFoundError) as error:
        if path not in _stored_paths(source):
            raise MeshError(f"{path} is missing in the registry's storage.") from error
        raise


def remove(store: Store, run_id: str, address: str, folder: str) -> None:
    """Remove a folder of a run that no version names, and what was kept for it only."""
    store.repository(run_id, address, folder).delete_artifacts()  # type: ignore[no-untyped-call]
    if isinstance(store.artifacts, Path):
        sweep(store.artifacts)


def read_attachment(store: Store, record: Record, attachment: StoredAttachment) -> bytes:
    """The content of an attachment.

    Raises:
        MeshError: it is missing or damaged.
    """
    source = repository(store, record, attachment.folder)
    with tempfile.TemporaryDirectory() as temporary:
        path = attachment.file.path
        found = download(source, ATTACHMENT_FILE, Path(temporary))
        if found.model_copy(update={"path": path}) != attachment.file:
            raise MeshError(
                f"The attachment {path} of {record.version.reference} is damaged in the registry."
            )
        return (Path(temporary) / ATTACHMENT_FILE).read_bytes()


def storage_problems(store: Store, record: Record) -> list[str]:
    """One sentence for each part of a version, as it is stored, that is missing, extra or changed."""
    source = repository(store, record, FILES)
    stored = _stored_paths(source)
    problems = []
    with tempfile.TemporaryDirectory() as temporary:
        own = Path(temporary)
        for path in OWN_FILES:
            if path in stored:
                download(source, path, own)
        trusted = store.settings.trusted
        problems += record_problems(record.version, record.fingerprint, own, trusted)
    paths = track(stored, f"verifying {record.version.reference}")
    expected = with_own_entry(record.version.manifest)
    problems += expected.differences([_read_entry(source, path, path) for path in paths])
    attached = []
    for attachment in record.attachments.values():
        source = repository(store, record, attachment.folder)
        attached += [
            _read_entry(source, path, attachment.file.path) for path in _stored_paths(source)
        ]
    expected = Manifest(files=tuple(attachment.file for attachment in record.attachments.values()))
    return problems + [f"attachment {problem}" for problem in expected.differences(attached)]


def _stored_paths(source: ArtifactRepository) -> list[str]:
    return list(_walk(source, None))


def _walk(source: ArtifactRepository, folder: str | None) -> Iterator[str]:
    for info in source.list_artifacts(folder):
        if info.is_dir:
            yield from _walk(source, info.path)
        else:
            yield info.path


def _read_entry(source: ArtifactRepository, stored: str, path: str) -> FileEntry:
    """Read one file at a time, so that a version need not fit on this machine twice."""
    if folder := _folder(source):
        return FileEntry.of(safe_path(folder, stored), path)
    with tempfile.TemporaryDirectory() as temporary:
        return download(source, stored, Path(temporary)).model_copy(update={"path": path})


def _folder(repository: ArtifactRepository) -> Path | None:
    """The folder of this machine that a repository is, if it is one."""
    if isinstance(repository, LocalArtifactRepository):
        return Path(repository.artifact_dir)
    return None
