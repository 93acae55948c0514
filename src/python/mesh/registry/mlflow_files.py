"""Files of versions in MLflow's artifact storage."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from pathlib import PurePosixPath

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry
from mesh.core.manifest import Manifest
from mesh.core.progress import track
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


def upload(target: ArtifactRepository, file: Path, path: str) -> None:
    """Store a file at a path, whose last part is the file's name."""
    parent = PurePosixPath(path).parent.as_posix()
    target.log_artifact(str(file), None if parent == "." else parent)  # type: ignore[no-untyped-call]


def download(source: ArtifactRepository, path: str, directory: Path) -> Path:
    """Copy a stored file to the same path below an existing directory.

    Raises:
        MeshError: there is no such file.
    """
    try:
        # With a destination: without one MLflow hands out the store's own file.
        return Path(source.download_artifacts(path, str(directory)))  # type: ignore[no-untyped-call]
    except MlflowException as error:
        if path not in _stored_paths(source):
            raise MeshError(f"{path} is missing in the registry's storage.") from error
        raise


def remove(store: Store, run_id: str, address: str, folder: str) -> None:
    """Remove a folder of a run that no version names."""
    store.repository(run_id, address, folder).delete_artifacts()  # type: ignore[no-untyped-call]


def read_attachment(store: Store, record: Record, attachment: StoredAttachment) -> bytes:
    """The content of an attachment.

    Raises:
        MeshError: it is missing or damaged.
    """
    source = repository(store, record, attachment.folder)
    with tempfile.TemporaryDirectory() as temporary:
        file = download(source, ATTACHMENT_FILE, Path(temporary))
        if FileEntry.of(file, attachment.file.path) != attachment.file:
            path = attachment.file.path
            raise MeshError(
                f"The attachment {path} of {record.version.reference} is damaged in the registry."
            )
        return file.read_bytes()


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
    with tempfile.TemporaryDirectory() as temporary:
        return FileEntry.of(download(source, stored, Path(temporary)), path)
