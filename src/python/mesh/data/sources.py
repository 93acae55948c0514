"""Files with raw data: at any address that `fsspec` knows, on the Hugging Face hub, or shipped with a project."""

import contextlib
import importlib.resources
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import fsspec
from fsspec.core import has_magic
from fsspec.implementations.local import LocalFileSystem

from mesh.core.urls import mask_url
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.data.files import address_errors, open_file_system

FORMATS = {
    ".conll": "conll",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".tsv": "tsv",
}
"""The format of a file by its suffix, a suffix of compression left out."""

_COMPRESSED = (".gz", ".bz2", ".xz")
_HUB = re.compile(
    r"hf://datasets/(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/\w+/\w+|[\w.-]+))?(?P<path>/.+)?"
)


@dataclass(frozen=True)
class SourceFile:
    """A file to read.

    Args:
        name: address, or path below the project's samples.
        size: in bytes.
        revision: what changes with the content: SHA-256, entity tag, or commit.
    """

    file_system: fsspec.AbstractFileSystem
    path: str
    name: str
    size: int
    revision: str

    @contextlib.contextmanager
    def local(self, folder: Path) -> Iterator[Path]:
        """A local path with the file's content; what is elsewhere is downloaded below `folder` for the block's time.

        Raises:
            MeshError: the download failed, or gave another number of bytes than the file has.
        """
        if isinstance(self.file_system, LocalFileSystem):
            yield Path(self.path)
            return
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            target = Path(temporary) / PurePosixPath(self.path).name
            with address_errors(self.name):
                self.file_system.get_file(self.path, str(target))
            if target.stat().st_size != self.size:
                raise MeshError(
                    f"{self.name} gave {target.stat().st_size} of {self.size} bytes; run the step again."
                )
            yield target


def file_format(name: str) -> str | None:
    """The format of a file by its name, or None if the name does not tell."""
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
    root = Path(str(importlib.resources.files(package))) / folder
    files = find_files(str(root))
    # Their names are the same on every machine, and so is what is recorded of them.
    return [replace(file, name=f"{samples}/{Path(file.path).relative_to(root)}") for file in files]


def find_files(address: str) -> list[SourceFile]:
    """The files at an address: itself, those that fit its pattern, or all with a known suffix in a folder.

    Args:
        address: path or URL, such as `s3://bucket/reviews/*.csv.gz` or `hf://datasets/org/name@revision/train.parquet`.

    Raises:
        MeshError: nothing is there, or it can't be reached.
    """
    commit = None
    if address.startswith("hf://"):
        address, commit = _pin(address)
    file_system, path = open_file_system(address)
    with address_errors(address):
        if has_magic(path):
            paths = file_system.glob(path)
        elif file_system.isdir(path):
            paths = [found for found in file_system.find(path) if file_format(found)]
        else:
            paths = [path]
        files = [_source_file(file_system, str(found), commit) for found in sorted(paths)]
    if not files:
        raise MeshError(
            f"{address} holds no data; files end in {', '.join(FORMATS)}, "
            f"or in one of these and {', '.join(_COMPRESSED)}."
        )
    return files


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
            f"{name} tells no size or no entity tag, so a broken download could not be noticed; "
            "download it yourself."
        )
    return SourceFile(file_system, path, name, int(info["size"]), str(tag).strip('"'))


def _pin(address: str) -> tuple[str, str]:
    """The address with the commit that its revision is now."""
    match = _HUB.fullmatch(address)
    if match is None:
        raise MeshError(
            f"{address!r} is malformed: write hf://datasets/organisation/name, with @revision and /path if needed."
        )
    from huggingface_hub import HfApi, errors

    try:
        commit = HfApi().dataset_info(match["repository"], revision=match["revision"]).sha
    except errors.RevisionNotFoundError as error:
        raise MeshError(f"{address} has no revision {match['revision']!r}.") from error
    except errors.RepositoryNotFoundError as error:
        raise MeshError(
            f"{address} does not exist on the hub, or HF_TOKEN gives no access to it."
        ) from error
    except Exception as error:
        if not isinstance(error, OSError) and not type(error).__module__.startswith("http"):
            raise
        raise MeshError(
            f"The hub can't be reached for {address} ({type(error).__name__}); "
            "check the network or HF_ENDPOINT, or name local files."
        ) from error
    path = match["path"] or ""
    return f"hf://datasets/{match['repository']}@{commit}{path}", str(commit)
