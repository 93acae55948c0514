"""Files with raw data: at any URL that `fsspec` knows, on the Hugging Face hub, or in a project."""

import contextlib
import logging
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import fsspec
from fsspec.core import has_magic
from fsspec.implementations.local import LocalFileSystem

from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.program import component_folder
from mesh.core.urls import mask_url
from mesh.data.files import find_matching, open_file_system, url_errors

FORMATS = {
    ".bio": "conll",
    ".conll": "conll",
    ".conllu": "conll",
    ".iob": "conll",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".tsv": "tsv",
}
"""The format of a file by its suffix, after a compression suffix is removed."""

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_ARCHIVE = ".zip"
# Left by editors and file managers.
_NO_DATA = re.compile(r"(?:^|/)(?:\.|__MACOSX/|#|~\$)|(?:~|\.bak|\.orig|\.swp|\.tmp)$")
_HUB = re.compile(
    r"hf://datasets/(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/\w+/\w+|[\w.-]+))?(?P<path>/.+)?"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceFile:
    """A file to read.

    Args:
        name: URL, or path below the project's samples.
        size: in bytes.
        revision: SHA-256, entity tag or commit, which changes with the content.
    """

    file_system: fsspec.AbstractFileSystem
    path: str
    name: str
    size: int
    revision: str

    @contextlib.contextmanager
    def local(self, folder: Path) -> Iterator[Path]:
        """A local path of the file; a remote one is downloaded into `folder` for the block.

        Raises:
            MeshError: the download failed, or has another size than the file.
        """
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            target = self._downloaded(Path(temporary))
            if target.suffix == _ARCHIVE:
                with _zip_errors(self.name), zipfile.ZipFile(target) as archive:
                    target = Path(archive.extract(_table_in(archive, self.name), temporary))
            yield target

    @property
    def format(self) -> str | None:
        """The format by its name, or by that of the table in an archive; None if it is unknown.

        Raises:
            MeshError: it is an archive of no table, or of several.
        """
        if PurePosixPath(self.path).suffix != _ARCHIVE:
            return file_format(self.path)
        with (
            url_errors(self.name),
            self.file_system.open(self.path, "rb") as opened,
            _zip_errors(self.name),
            zipfile.ZipFile(opened) as archive,
        ):
            return file_format(_table_in(archive, self.name))

    def _downloaded(self, folder: Path) -> Path:
        if isinstance(self.file_system, LocalFileSystem):
            return Path(self.path)
        target = folder / PurePosixPath(self.path).name
        with url_errors(self.name):
            self.file_system.get_file(self.path, str(target))
        if target.stat().st_size != self.size:
            raise MeshError(
                f"{self.name}: {target.stat().st_size} of {self.size} bytes were downloaded; run the step again."
            )
        return target


@contextlib.contextmanager
def _zip_errors(name: str) -> Iterator[None]:
    """Name the archive that is damaged, has a password, or is packed in an unknown way."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise MeshError(f"{name} can't be unpacked: {error}.") from error


def _table_in(archive: zipfile.ZipFile, name: str) -> str:
    """The name of the only table in an archive."""
    found = [
        member.filename
        for member in archive.infolist()
        if not member.is_dir() and not _NO_DATA.search(member.filename)
    ]
    tables = [member for member in found if file_format(member)]
    if len(tables) != 1:
        shown = ", ".join(found[:5]) or "nothing"
        raise MeshError(f"{name} must hold one table; it holds {shown}. Unpack it into a folder.")
    return tables[0]


def file_format(name: str) -> str | None:
    """The format of a file by its name, or None if it is unknown."""
    path = PurePosixPath(name)
    return FORMATS.get((path.with_suffix("") if path.suffix in _COMPRESSED else path).suffix)


def sample_files(samples: str) -> list[SourceFile]:
    """The data files that a project ships.

    Args:
        samples: `package:folder`.

    Raises:
        MeshError: there are none.
    """
    package, _, folder = samples.partition(":")
    root = component_folder(package) / folder
    files = find_files(str(root))
    # Names that are the same on every machine make records that are the same, too.
    return [replace(file, name=f"{samples}/{Path(file.path).relative_to(root)}") for file in files]


def find_files(url: str) -> list[SourceFile]:
    """The files at a URL: one file, those that match a pattern, or a folder's with a known suffix.

    Args:
        url: or a path; such as `s3://bucket/reviews/*.csv.gz` or
            `hf://datasets/org/name@revision/train.parquet`.

    Raises:
        MeshError: nothing is there, or it can't be reached.
    """
    commit = None
    if url.startswith("hf://"):
        url, commit = _pin(url)
    file_system, path = open_file_system(url)
    with url_errors(url):
        if file_system.isdir(path):
            every = file_system.find(path)
            paths = [found for found in every if _is_data(found, path)]
            if others := sorted(set(every) - set(paths)):
                logger.info("%s: %d files are no data, such as %s", path, len(others), others[0])
        elif has_magic(path) and not file_system.exists(path):
            paths = [found for found in _fitting(file_system, path) if _matches(file_system, found)]
        else:
            paths = [path]
        files = [_source_file(file_system, str(found), commit) for found in sorted(paths)]
    if not files:
        raise MeshError(
            f"{url} holds no data; files end in {', '.join(FORMATS)}, "
            f"or in one of these and {', '.join((*_COMPRESSED, _ARCHIVE))}."
        )
    return files


def _fitting(file_system: fsspec.AbstractFileSystem, path: str) -> list[str]:
    """The paths that fit a pattern; the folders that it names as they are called are no pattern."""
    parts = path.split("/")
    for number, part in enumerate(parts):
        if has_magic(part) and not file_system.exists("/".join(parts[: number + 1])):
            folder = "/".join(parts[:number]) or "/"
            found = find_matching(file_system, folder, "/".join(parts[number:]))
            return [f"{folder.rstrip('/')}/{name}" for name in found]
    return [path]


def _matches(file_system: fsspec.AbstractFileSystem, path: str) -> bool:
    """Whether a path that fits a pattern is that of a file with data."""
    return not _NO_DATA.search(PurePosixPath(path).name) and bool(file_system.isfile(path))


def _is_data(path: str, root: str) -> bool:
    """Whether a file in a folder holds data, by its name."""
    below = path[len(root) :].lstrip("/")
    is_known = file_format(path) or PurePosixPath(path).suffix == _ARCHIVE
    return bool(is_known) and not _NO_DATA.search(below)


def _source_file(
    file_system: fsspec.AbstractFileSystem, path: str, commit: str | None
) -> SourceFile:
    if isinstance(file_system, LocalFileSystem):
        revision = f"sha256:{sha256_file(Path(path))}"
        return SourceFile(file_system, path, path, Path(path).stat().st_size, revision)
    info = file_system.info(path)
    name = mask_url(file_system.unstrip_protocol(path))
    tag = commit or info.get("ETag") or info.get("etag") or info.get("md5Hash")
    if info.get("size") is None or not tag:
        raise MeshError(
            f"The server of {name} sends no size or no entity tag, so a broken download could go unnoticed; "
            "download the file yourself."
        )
    return SourceFile(file_system, path, name, int(info["size"]), str(tag).strip('"'))


def _pin(url: str) -> tuple[str, str]:
    """The URL with the current commit of its revision, and the commit."""
    match = _HUB.fullmatch(url)
    if match is None:
        raise MeshError(
            f"{url!r} is malformed: write hf://datasets/organisation/name, with @revision and /path if needed."
        )
    from huggingface_hub import HfApi, errors

    try:
        commit = HfApi().dataset_info(match["repository"], revision=match["revision"]).sha
    except errors.RevisionNotFoundError as error:
        raise MeshError(f"{url} has no revision {match['revision']!r}.") from error
    except errors.RepositoryNotFoundError as error:
        raise MeshError(
            f"{url} does not exist on the hub, or HF_TOKEN gives no access to it."
        ) from error
    except Exception as error:
        if not isinstance(error, OSError) and not type(error).__module__.startswith("http"):
            raise
        raise MeshError(
            f"The hub can't be reached for {url} ({type(error).__name__}); "
            "check the network or HF_ENDPOINT, or name local files."
        ) from error
    path = match["path"] or ""
    return f"hf://datasets/{match['repository']}@{commit}{path}", str(commit)
