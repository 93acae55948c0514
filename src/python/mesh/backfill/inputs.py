"""The files of an input: what they are called, their formats, and which state of them is read."""

import hashlib
import os
import posixpath
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

from mesh.backfill.manifest import InputEntry
from mesh.backfill.storage import (
    find_info,
    is_http,
    is_local,
    open_file,
    open_location,
    reading,
)
from mesh.core.errors import MeshError, UsageError
from mesh.core.urls import mask_url

Format = Literal["parquet", "jsonl", "csv"]

FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}

_STATES = ("ETag", "etag", "md5Hash", "Content-MD5", "generation", "Last-Modified")
"""What stores call the state of an object; equal ones mean equal content."""
_MAGIC = "*?["
_THREADS = 4


@dataclass(frozen=True)
class InputFile:
    """A file of the input.

    Args:
        url: with everything that is needed to open it.
        name: see `InputEntry`.
        size: bytes.
        version: see `InputEntry`.
        stamp: changes when the file does; cheaper to find than the version.
        format: of its rows.
        compression: gzip, zstd, or empty.
        delimiter: of CSV.
    """

    url: str
    name: str
    size: int
    version: str
    stamp: str
    format: Format
    compression: str
    delimiter: str

    @property
    def entry(self) -> InputEntry:
        """What the manifest says of it."""
        return InputEntry(
            name=self.name, url=mask_url(self.url), size=self.size, version=self.version
        )


def find_inputs(patterns: Sequence[str], kind: str, delimiter: str) -> list[InputFile]:
    """The files of patterns, folders and URLs, each once, sorted by name.

    Args:
        kind: format of all files, or "auto".
        delimiter: of CSV; "" goes by the files' names.

    Raises:
        UsageError: a pattern has no file, or a file's format isn't known.
        MeshError: a file can't be read.
    """
    found: dict[str, tuple[str, Any, dict[str, Any]]] = {}
    for pattern in patterns:
        for url, name, fs, info in _match(pattern):
            found.setdefault(url, (name, fs, info))
    counts = Counter(name for name, _, _ in found.values())
    with ThreadPoolExecutor(_THREADS) as pool:
        files = pool.map(lambda url: _describe((url, *found[url]), kind, delimiter), found)
        # Files of several folders may have one name; then the whole path is the name.
        named = [
            replace(file, name=_full_name(file.url)) if counts[file.name] > 1 else file
            for file in files
        ]
    return sorted(named, key=lambda file: file.name)


def current_stamp(file: InputFile) -> str:
    """The stamp that a file has now.

    Raises:
        MeshError: it is gone.
    """
    fs, path = open_location(file.url)
    with reading(mask_url(file.url)):
        return _stamp(fs, find_info(fs, path))


def _match(pattern: str) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """URL, name, file system and properties of each file of a pattern."""
    fs, path = open_location(pattern)
    shown = mask_url(pattern)
    one = False
    with reading(shown):
        if is_http(fs):
            one = True
            base = posixpath.dirname(path.partition("?")[0])
            try:
                infos = {path: find_info(fs, path)}
            except FileNotFoundError as error:
                raise UsageError(f"The input {shown} does not exist.") from error
        elif any(sign in path for sign in _MAGIC) and not fs.exists(path):
            base = posixpath.dirname(
                path[: min(path.index(sign) for sign in _MAGIC if sign in path)]
            )
            infos = fs.glob(path, detail=True)
        elif fs.isdir(path):
            base, infos = path, fs.find(path, detail=True)
        elif fs.exists(path):
            one = True
            base, infos = posixpath.dirname(path), {path: fs.info(path)}
        else:
            raise UsageError(f"The input {shown} does not exist.")
    files = {
        each: info
        for each, info in infos.items()
        if info["type"] == "file" and (one or not _is_hidden(each, base))
    }
    if not files:
        raise UsageError(f"The input {shown} has no files.")
    # Workers may work in another folder, so that no path is relative.
    return [
        (
            pattern if one and not is_local(fs) else fs.unstrip_protocol(each),
            _plain(each)[len(base) :].lstrip("/"),
            fs,
            info,
        )
        for each, info in files.items()
    ]


def _plain(path: str) -> str:
    """A path, or a URL without its query."""
    return path.partition("?")[0] if "://" in path else path


def _full_name(url: str) -> str:
    return mask_url(_plain(url)).partition("://")[2].lstrip("/")


def _is_hidden(path: str, base: str) -> bool:
    return any(part.startswith((".", "_")) for part in path[len(base) :].split("/"))


def _describe(
    matched: tuple[str, str, Any, dict[str, Any]], kind: str, delimiter: str
) -> InputFile:
    url, name, fs, info = matched
    stem = name.lower()
    compression = ""
    for suffix, packing in COMPRESSIONS.items():
        if stem.endswith(suffix):
            stem, compression = stem.removesuffix(suffix), packing
    known = FORMATS.get(posixpath.splitext(stem)[1])
    if kind == "auto" and known is None:
        raise UsageError(
            f"The format of {mask_url(url)} isn't known; name it by --format, or give files whose names "
            f"end with one of {', '.join(FORMATS)}, also followed by {' or '.join(COMPRESSIONS)}."
        )
    tabs = "\t" if stem.endswith(".tsv") else ","
    stamp = _stamp(fs, info)
    return InputFile(
        url=url,
        name=name,
        size=_size(url, info),
        version=_version(url, fs, info),
        stamp=stamp,
        format=known if kind == "auto" and known else kind,  # type: ignore[arg-type]
        compression=compression,
        delimiter=delimiter or tabs,
    )


def _size(url: str, info: dict[str, Any]) -> int:
    """Bytes of a file, which not every web server tells."""
    if info["size"] is not None:
        return int(info["size"])
    with open_file(url) as file:
        return file.seek(0, os.SEEK_END)


def _stamp(fs: Any, info: dict[str, Any]) -> str:
    if is_local(fs):
        return f"{info['size']} {info['mtime']} {info['ino']}"
    return f"{info['size']} {_state(info)}"


def _state(info: dict[str, Any]) -> str:
    return next((f"{name}:{info[name]}" for name in _STATES if info.get(name)), "")


def _version(url: str, fs: Any, info: dict[str, Any]) -> str:
    """The digest of a local file's content, or what its store calls its state."""
    if not is_local(fs) and (state := _state(info)):
        return state
    with reading(mask_url(url)), open_file(url) as file:
        try:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"  # type: ignore[arg-type]
        except OSError as error:
            raise MeshError(f"{mask_url(url)} can't be read: {error.strerror or error}.") from error
