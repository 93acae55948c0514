"""Files of versions in MLflow's artifact storage."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from requests import HTTPError

from mesh.core.errors import MeshError
from mesh.core.files import safe_path
from mesh.core.manifest import FileEntry, Manifest
from mesh.core.progress import Advance
from mesh.registry.local_files import copy_file, store_file, sweep
from mesh.registry.mlflow.records import ATTACHMENT_FILE, Record, StoredAttachment
from mesh.registry.mlflow.remote import download_file, upload_file
from mesh.registry.mlflow.store import Store
from mesh.registry.mlflow.unfinished import Unfinished
from mesh.registry.storage_errors import written_to
from mesh.registry.transfer import OWN_FILES, FileState, for_each, record_problems, with_own_entry

FILES = "version"
ATTACHMENTS = "attachments"


def repository(store: Store, record: Record, folder: str) -> ArtifactRepository:
    """A folder of the artifacts that belong to a version."""
    return store.repository(record.run_id, record.source.removesuffix(f"/{FILES}"), folder)


@dataclass(frozen=True)
class Upload:
    """The way to store a new version's files.

    Args:
        repository: its folder of artifacts.
        shared: the folder in which versions share identical files, if they do.
        unfinished: files stored by an interrupted publish, and by this one.
        digested: files that are digested already, by path, with their states before that.
    """

    repository: ArtifactRepository
    shared: Path | None
    unfinished: Unfinished
    digested: Mapping[str, tuple[FileState, FileEntry]]

    def store(self, file: Path, path: str, advance: Advance) -> FileEntry:
        """Store a file at a path that ends in the file's name, and return its entry."""
        if entry := self.unfinished.progress.stored.get(path):
            advance(entry.size)
            return entry
        if folder := _folder(self.repository):
            with written_to(folder):
                return store_file(file, safe_path(folder, path), path, advance, self.shared)
        state, entry = self.digested.get(path) or (FileState.of(file), FileEntry.of(file, path))
        upload_file(self.repository, file, state, path, self.unfinished, advance)
        self.unfinished.store(entry)
        return entry


def upload(repository: ArtifactRepository, file: Path, path: str) -> None:
    """Store a small file."""
    Upload(repository, None, Unfinished(), {}).store(file, path, lambda _: None)


def download(
    source: ArtifactRepository, path: str, size: int, directory: Path, advance: Advance
) -> FileEntry:
    """Copy a stored file of about so many bytes below a directory, and return its entry.

    Raises:
        MeshError: there is no such file.
    """
    target = directory / path
    try:
        if folder := _folder(source):
            target.unlink(missing_ok=True)
            return copy_file(safe_path(folder, path), target, path, advance)
        download_file(source, path, target, size, advance)
        return FileEntry.of(target, path)
    except (MlflowException, FileNotFoundError, HTTPError) as error:
        if path not in stored_sizes(source):
            raise MeshError(f"{path} is missing in the registry's storage.") from error
        raise


def remove(store: Store, run_id: str, address: str, folder: str) -> None:
    """Remove a folder of a run that no version names, and shared files that only it used."""
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
        size = attachment.file.size
        found = download(source, ATTACHMENT_FILE, size, Path(temporary), lambda _: None)
        if found.model_copy(update={"path": path}) != attachment.file:
            raise MeshError(
                f"The attachment {path} of {record.version.reference} is damaged in the registry."
            )
        return (Path(temporary) / ATTACHMENT_FILE).read_bytes()


def storage_problems(store: Store, record: Record) -> list[str]:
    """One sentence for each stored part of a version that is missing, extra or changed."""
    source = repository(store, record, FILES)
    stored = stored_sizes(source)
    problems = [*record.problems]
    links = _links(source, stored)
    problems += [f"{path} is a link or a special file" for path in links]
    with tempfile.TemporaryDirectory() as temporary:
        own = Path(temporary)
        for path in OWN_FILES:
            if path in stored and path not in links:
                download(source, path, stored[path], own, lambda _: None)
        trusted = store.settings.trusted
        problems += record_problems(record.version, record.fingerprint, own, trusted)

    def read(path: str, advance: Advance) -> FileEntry:
        entry = _read_entry(source, path, stored[path], path)
        advance(entry.size)
        return entry

    # Downloads one at a time, so that large versions fit on small disks.
    threads = None if _folder(source) else 1
    plain = {path: size for path, size in stored.items() if path not in links}
    found = for_each(read, plain, f"verifying {record.version.reference}", threads)
    # One problem of a file is enough.
    found += [entry for entry in record.version.manifest.files if entry.path in links]
    problems += with_own_entry(record.version.manifest).differences(
        sorted(found, key=lambda entry: entry.path)
    )
    attached = []
    for attachment in record.attachments.values():
        source = repository(store, record, attachment.folder)
        stored = stored_sizes(source)
        attached += [
            _read_entry(source, path, size, attachment.file.path)
            for path, size in stored.items()
            if path not in _links(source, stored)
        ]
    expected = Manifest(files=tuple(attachment.file for attachment in record.attachments.values()))
    return problems + [f"attachment {problem}" for problem in expected.differences(attached)]


def stored_sizes(source: ArtifactRepository) -> dict[str, int]:
    """The stored files, by path, and their sizes in bytes."""
    if folder := _folder(source):
        return {
            path.relative_to(folder).as_posix(): path.lstat().st_size for path in _files(folder)
        }
    return dict(_walk(source, None))


def _files(folder: Path) -> list[Path]:
    """The files below a folder of this machine, and the links, which are not followed."""
    paths = sorted(folder.rglob("*"))
    return [path for path in paths if path.is_symlink() or not path.is_dir()]


def _links(source: ArtifactRepository, stored: Iterable[str]) -> set[str]:
    """The stored paths that aren't plain files, in a folder of this machine."""
    folder = _folder(source)
    if folder is None:
        return set()
    paths = {path: folder / path for path in stored}
    return {path for path, file in paths.items() if file.is_symlink() or not file.is_file()}


def _walk(source: ArtifactRepository, folder: str | None) -> Iterator[tuple[str, int]]:
    for info in source.list_artifacts(folder):
        if info.is_dir:
            yield from _walk(source, info.path)
        else:
            yield info.path, info.file_size or 0


def _read_entry(source: ArtifactRepository, stored: str, size: int, path: str) -> FileEntry:
    """Read a file without keeping it."""
    if folder := _folder(source):
        return FileEntry.of(safe_path(folder, stored), path)
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / stored
        target.parent.mkdir(parents=True, exist_ok=True)
        found = download(source, stored, size, Path(temporary), lambda _: None)
        return found.model_copy(update={"path": path})


def _folder(repository: ArtifactRepository) -> Path | None:
    """The folder of this machine that a repository is, if it is one."""
    if isinstance(repository, LocalArtifactRepository):
        return Path(repository.artifact_dir)
    return None
