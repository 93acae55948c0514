"""Folders and files by path or URL: local, `s3://`, `gs://` and all others that `fsspec` knows."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fsspec
import fsspec.utils
from fsspec.implementations.local import LocalFileSystem

from mesh.core.errors import MeshError
from mesh.core.files import write_text_atomic
from mesh.core.urls import mask_url, passwords

_CLIENTS = ("aiohttp", "aiobotocore", "botocore", "gcsfs", "google", "httpx", "huggingface_hub")
_BLOCK = 1 << 20
_LOCAL = ("file://", "local://")
# Also a chain of file systems, such as `simplecache::s3://bucket`.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:://|::)")


def open_file_system(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a path or URL, and the path in it.

    A local path is taken as it is, whatever characters it has.

    Raises:
        MeshError: the scheme is unknown, its package is missing, or the URL holds a password.
    """
    if passwords(url):
        raise MeshError(f"{mask_url(url)} holds a password; set it in the environment instead.")
    with url_errors(url):
        if url.startswith(_LOCAL):
            return LocalFileSystem(), _absolute(url.partition("://")[2])
        if not _URL.match(url):
            return LocalFileSystem(), _absolute(url)
        file_system, path = fsspec.core.url_to_fs(url)
    return file_system, path


def _absolute(path: str) -> str:
    return str(Path(os.path.expanduser(path)).absolute())


def find_matching(file_system: fsspec.AbstractFileSystem, folder: str, pattern: str) -> list[str]:
    """The paths of files below a folder that match a pattern, relative to it and sorted.

    Args:
        folder: a path, in which no character has a meaning.
        pattern: relative to the folder, with `*`, `?`, `[...]`, and `**` for any folders.
    """
    depth = None if "**" in pattern else pattern.count("/") + 1
    expression = re.compile(fsspec.utils.glob_translate(pattern))
    found = map(str, file_system.find(folder, maxdepth=depth))
    below = (path.removeprefix(folder).lstrip("/") for path in found)
    return sorted(path for path in below if expression.match(path))


@contextlib.contextmanager
def url_errors(url: str) -> Iterator[None]:
    """Turn the errors of file systems and their clients into a sentence with the URL.

    Raises:
        MeshError: the work in the block failed for a reason outside of this program.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError | ImportError | ValueError) and not type(
            error
        ).__module__.startswith(_CLIENTS):
            raise
        problem = "can't be used"
        if isinstance(error, FileNotFoundError):
            problem = "does not exist, or part of it"
        elif isinstance(error, ImportError):
            problem = "needs a package that is not installed"
        shown = mask_url(url)
        raise MeshError(f"{shown} {problem}: {str(error).replace(url, shown)}.") from error


@dataclass(frozen=True)
class Location:
    """A folder by its path or URL, and the files below it by POSIX paths.

    Every method raises `MeshError` where the folder can't be used.
    """

    url: str

    def __truediv__(self, name: str) -> "Location":
        return Location(f"{self.url.rstrip('/')}/{name}")

    @property
    def local_path(self) -> Path | None:
        """Its path on this machine, if it is local."""
        file_system, path = open_file_system(self.url)
        return Path(path) if isinstance(file_system, LocalFileSystem) else None

    def glob(self, pattern: str) -> list[str]:
        """The paths of files below it that match a pattern, sorted."""
        file_system, path = open_file_system(self.url)
        with url_errors(self.url):
            file_system.invalidate_cache()
            return find_matching(file_system, path, pattern)

    def read(self, name: str) -> bytes | None:
        """The content of a small file, or None if there is none."""
        file_system, path = open_file_system((self / name).url)
        with url_errors((self / name).url):
            try:
                return bytes(file_system.cat_file(path))
            except FileNotFoundError:
                return None

    def write(self, name: str, text: str) -> None:
        """Write a small file, complete or not at all; object stores guarantee that themselves."""
        file_system, path = open_file_system((self / name).url)
        if isinstance(file_system, LocalFileSystem):
            write_text_atomic(Path(path), text)
            return
        with url_errors((self / name).url):
            file_system.pipe_file(path, text.encode())

    def put(self, source: Path, name: str) -> None:
        """Copy a local file into it; a killed process may leave a partial file."""
        file_system, path = open_file_system((self / name).url)
        with url_errors((self / name).url):
            file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
            file_system.put_file(str(source), path)

    def get(self, name: str, target: Path) -> None:
        """Copy a file from it to a local path."""
        file_system, path = open_file_system((self / name).url)
        target.parent.mkdir(parents=True, exist_ok=True)
        with url_errors((self / name).url):
            file_system.get_file(path, str(target))

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        file_system, path = open_file_system((self / name).url)
        with url_errors((self / name).url), contextlib.suppress(FileNotFoundError):
            file_system.rm_file(path)

    def sha256(self, name: str) -> str | None:
        """The hexadecimal SHA-256 of a file, or None if there is none."""
        return self._digest(name, "sha256")

    def md5(self, name: str) -> str | None:
        """The hexadecimal MD5 of a file, or None if there is none."""
        return self._digest(name, "md5")

    def _digest(self, name: str, algorithm: str) -> str | None:
        """The digest of a file, read in blocks."""
        file_system, path = open_file_system((self / name).url)
        digest = hashlib.new(algorithm, usedforsecurity=False)
        with url_errors((self / name).url):
            try:
                with file_system.open(path, "rb") as file:
                    while block := file.read(_BLOCK):
                        digest.update(block)
            except FileNotFoundError:
                return None
        return digest.hexdigest()
