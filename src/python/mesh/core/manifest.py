"""The list of a directory's files with sizes and digests, and the comparison with it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.core.digest import fingerprint, sha256_file
from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.core.partials import PARTIAL_SUFFIX

MANIFEST_FILE = "manifest.json"

_THREADS = 4
_verified: ContextVar[Mapping[Path, str]] = ContextVar("verified", default={})
"""Digests of files that need not be read again."""


class FileEntry(BaseModel):
    """One file: POSIX path relative to the directory, size in bytes, hexadecimal SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Path, path: str, sha256: str | None = None) -> Self:
        """An entry for a file, under a path; the file is read if its digest isn't given."""
        return cls(path=path, size=file.stat().st_size, sha256=sha256 or sha256_file(file))


class Manifest(BaseModel):
    """Every file of a directory, sorted by path; the manifest's own file is not listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    files: tuple[FileEntry, ...]

    @property
    def digest(self) -> str:
        """One SHA-256 for all the files."""
        return fingerprint([[entry.path, entry.sha256] for entry in self.files])

    @property
    def size(self) -> int:
        """Bytes in all the files."""
        return sum(entry.size for entry in self.files)

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Read a directory.

        Raises:
            MeshError: the directory is missing, or holds a link or a special file.
        """
        return cls(files=tuple(_read_entries(directory, plain_files(directory))))

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the manifest stored in a directory.

        Raises:
            MeshError: it is missing or malformed.
        """
        return read_model(cls, directory / MANIFEST_FILE, "get or make the directory again")

    def write(self, directory: Path) -> None:
        """Store the manifest in a directory as `manifest.json`."""
        write_json_atomic(directory / MANIFEST_FILE, self.model_dump(mode="json"))

    def problems(self, directory: Path, *, besides: str | None = None) -> list[str]:
        """Compare a directory with the manifest: a sentence for each missing, extra or changed
        file.

        Args:
            besides: pattern of unlisted folders that are allowed, such as `*/test_results`; so are
                such folders that are still written, or that a killed process has left.
        """
        problems = []
        found = []
        listed = {entry.path for entry in self.files}
        unlisted = {path for pattern in _patterns(besides) for path in directory.glob(pattern)}
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory).as_posix()
            if name not in listed and unlisted & {path, *path.parents}:
                continue
            if not _is_plain(path):
                problems.append(f"{name} is a link or a special file")
            elif path.is_file() and name != MANIFEST_FILE:
                found.append(path)
        return problems + self.differences(_read_entries(directory, found))

    @contextlib.contextmanager
    def verified(self, directory: Path) -> Iterator[None]:
        """For the block, trust the files of a directory that was just found to have no `problems`.

        Manifests of the folders in it are compared with these digests, so that a file isn't read
        once for each.
        """
        token = _verified.set({directory / entry.path: entry.sha256 for entry in self.files})
        try:
            yield
        finally:
            _verified.reset(token)

    def differences(self, found: Iterable[FileEntry]) -> list[str]:
        """Compare files with the manifest: a sentence for each missing, extra or changed one."""
        problems = []
        others = {entry.path: entry for entry in found}
        for entry in self.files:
            other = others.pop(entry.path, None)
            if other is None:
                problems.append(f"{entry.path} is missing")
            elif other.size != entry.size:
                problems.append(f"{entry.path} has {other.size} bytes instead of {entry.size}")
            elif other.sha256 != entry.sha256:
                problems.append(
                    f"{entry.path} has other content than was published (its sha256 differs)"
                )
        return problems + [f"{path} is not in the manifest" for path in others]


def _patterns(folders: str | None) -> tuple[str, ...]:
    """A pattern of folders, and that of their partial ones."""
    if folders is None:
        return ()
    parent, slash, name = folders.rpartition("/")
    return folders, f"{parent}{slash}.{name}.*{PARTIAL_SUFFIX}"


def plain_files(directory: Path) -> list[Path]:
    """The files of a directory, sorted, without a manifest of its own.

    Raises:
        MeshError: the directory is missing, or holds a link or a special file.
    """
    if not directory.is_dir():
        raise MeshError(f"The directory {directory} does not exist.")
    paths = []
    for path in sorted(directory.rglob("*")):
        if not _is_plain(path):
            raise MeshError(
                f"{path} is a link or a special file; only plain files can be published."
            )
        if path.is_file() and path != directory / MANIFEST_FILE:
            paths.append(path)
    return paths


def check_no_links(directory: Path) -> None:
    """Refuse a directory that holds links: what they lead to can change, and belongs to others.

    The directory itself may be one.

    Raises:
        MeshError: it holds one; the message says which, and where it leads.
    """
    for path in sorted(directory.rglob("*")):
        if path.is_symlink():
            raise MeshError(
                f"{path} is a link to {path.readlink()}, and files of a model can't be links; make a "
                "copy that has the files themselves, with cp -rL."
            )


def _read_entries(directory: Path, paths: Iterable[Path]) -> list[FileEntry]:
    """Digest several files in parallel: hashing releases the interpreter lock."""
    # The threads have contexts of their own.
    known = _verified.get()
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(
            pool.map(
                lambda path: FileEntry.of(
                    path, path.relative_to(directory).as_posix(), known.get(path)
                ),
                paths,
            )
        )


def _is_plain(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or path.is_dir())
