"""Files of inputs and outputs: local, on object storage, or behind a URL."""

import contextlib
import errno
import functools
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, TypeVar

from mesh.core.disk import sync
from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry
from mesh.core.urls import mask_url

Result = TypeVar("Result")

_BLOCK = 1 << 20
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


def open_location(url: str) -> tuple[Any, str]:
    """The file system of a URL or path, and the path in it.

    Raises:
        UsageError: there is no such kind of storage, or its package isn't installed.
    """
    import fsspec

    # Google's buckets of an experimental kind are asked for by gRPC otherwise, again and again.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    try:
        fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        kind = url.partition("://")[0]
        raise UsageError(
            f"{mask_url(url)} can't be opened: install {_PACKAGES.get(kind, kind)}."
        ) from error
    except ValueError as error:
        raise UsageError(f"{mask_url(url)} can't be opened: {error}.") from error
    return fs, str(path)


def is_http(fs: Any) -> bool:
    """Whether a file system is that of web servers, which list no files."""
    return "http" in fs.protocol


def find_info(fs: Any, path: str) -> dict[str, Any]:
    """The properties of a file.

    Raises:
        OSError: it doesn't exist, or may not be read.
        Exception: the server can't tell at the moment.
    """
    try:
        return dict(fs.info(path))
    except FileNotFoundError as error:
        # That of web servers says so whatever happens.
        status = getattr(error.__cause__, "status", None)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise PermissionError(f"status {status}") from error
        if error.__cause__ is None or status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise
        raise error.__cause__ from error


@contextlib.contextmanager
def open_file(url: str) -> Iterator[IO[bytes]]:
    """The content of a file, to be read at any place.

    That of a web server that sends files from their beginning only is copied into a temporary file.
    """
    fs, path = open_location(url)
    if not is_http(fs) or _has_ranges(url):
        with fs.open(path, "rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as copy:
        with fs.open(path, "rb", block_size=0) as stream:
            while block := stream.read(_BLOCK):
                copy.write(block)
        copy.seek(0)
        yield copy


@functools.lru_cache(maxsize=1000)
def _has_ranges(url: str) -> bool:
    """Whether a web server tells the size of a file, and sends parts of it."""
    from fsspec.asyn import sync

    fs, path = open_location(url)
    info = find_info(fs, path)
    if not info["size"] or not info.get("partial", True):
        return False

    async def ask() -> bool:
        session = await fs.set_session()
        headers = {"Range": "bytes=0-0"}
        async with session.get(fs.encode_url(path), headers=headers) as answer:
            answer.raise_for_status()
            return bool(answer.status == HTTPStatus.PARTIAL_CONTENT)

    return bool(sync(fs.loop, ask))


def is_local(fs: Any) -> bool:
    """Whether a file system is that of this machine, or one mounted like it."""
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(fs, LocalFileSystem)


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn errors of what the block reads into sentences.

    Raises:
        MeshError: the file is gone, may not be read, or is damaged. Errors that may pass, such as lost
            connections, stay as they are: whoever computes tries again.
    """
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError as error:
        raise MeshError(f"{name} does not exist, or not any more.") from error
    except PermissionError as error:
        raise MeshError(f"{name} may not be read: {error.strerror or error}.") from error
    except pa.ArrowInvalid as error:
        raise MeshError(f"{name} is damaged: {str(error).splitlines()[0]}.") from error


_TRANSIENT = ("aiohttp", "aiobotocore", "botocore", "fsspec", "gcsfs", "google", "requests", "s3fs")
"""Packages whose errors may be those of a network or of a service."""

_LASTING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
_TRIES = 5
PAUSE = 0.2


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed if it is tried again."""
    if isinstance(error, OSError):
        return error.errno not in _LASTING
    return type(error).__module__.partition(".")[0] in _TRANSIENT


def patiently(work: Callable[[], Result], what: str) -> Result:
    """Do what talks to storage; try again after errors that may pass.

    Args:
        what: names it in the sentence of the error, such as "The output s3://bucket/out".

    Raises:
        MeshError: it fails for good.
    """
    for number in range(1, _TRIES + 1):
        try:
            return work()
        except MeshError:
            raise
        except Exception as error:
            if number == _TRIES or not is_transient(error):
                if not is_transient(error) and not isinstance(error, OSError):
                    raise
                raise MeshError(f"{what} can't be used: {describe(error)}.") from error
            time.sleep(PAUSE * 2**number)
    raise AssertionError


def describe(error: BaseException) -> str:
    """An error of storage in words."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(reason).split()).rstrip(".")


class Folder:
    """The folder of a model's results, in which every file is complete or absent.

    Args:
        url: of the folder.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def __reduce__(self) -> Any:
        return Folder, (self._url,)

    def __str__(self) -> str:
        return mask_url(self._url)

    @functools.cached_property
    def _place(self) -> tuple[Any, str]:
        fs, path = open_location(self._url)
        if is_http(fs):
            raise UsageError(f"{self} can't be written: give a path, s3://... or gs://...")
        return fs, path.rstrip("/")

    @property
    def local(self) -> Path | None:
        """The folder, if it is one of this machine."""
        fs, path = self._place
        return Path(path) if is_local(fs) else None

    def path_of(self, name: str) -> str:
        """The path of a file below the folder, for its file system."""
        return f"{self._place[1]}/{name}"

    def publish(self, file: Path, name: str) -> None:
        """Move a local file into the folder; it replaces one of that name at once.

        Raises:
            OSError: it can't be written; object storage may succeed later.
        """
        fs, _ = self._place
        if self.local is None:
            fs.put_file(str(file), self.path_of(name))
            file.unlink()
            return
        target = self.local / name
        sync(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(0o644)
        file.replace(target)
        sync(target.parent)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, complete or not at all.

        Raises:
            OSError: it can't be written.
        """
        fs, _ = self._place
        if self.local is None:
            fs.pipe_file(self.path_of(name), content)
            return
        target = self.local / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            partial.write_bytes(content)
            self.publish(partial, name)
        finally:
            partial.unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        """The content of a file, None if there is none."""
        fs, _ = self._place
        try:
            return bytes(fs.cat_file(self.path_of(name)))
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read.

        Raises:
            FileNotFoundError: there is none.
        """
        fs, _ = self._place
        with fs.open(self.path_of(name), "rb") as file:
            yield file

    def names(self, below: str) -> list[str]:
        """The files in a folder below, by their paths from here, sorted; [] if there is none."""
        fs, root = self._place
        fs.invalidate_cache()
        try:
            found = fs.find(f"{root}/{below}")
        except FileNotFoundError:
            return []
        return sorted(str(path).removeprefix(f"{root}/") for path in found)

    def holds(self, entry: FileEntry) -> bool:
        """Whether a file is there with the size and the digest of an entry."""
        fs, _ = self._place
        try:
            if fs.size(self.path_of(entry.path)) != entry.size:
                return False
            with self.open(entry.path) as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256  # type: ignore[arg-type]
        except FileNotFoundError:
            return False

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        fs, _ = self._place
        with contextlib.suppress(FileNotFoundError):
            fs.rm_file(self.path_of(name))
