"""Folders in a DVC remote, in DVC's own format: `dvc pull` and `dvc push` read and write the same.

DVC's library isn't used. It needs a repository, takes over the user's configuration of DVC, whatever
that is, and takes for granted that a file of the remote is intact because it is there.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mesh.core.errors import MeshError, as_clause
from mesh.core.files import safe_path
from mesh.core.urls import mask_url
from mesh.data.files import Location

_FILES = "files/md5"
_LISTING = ".dir"


class Tracked(BaseModel):
    """A folder as a DVC file names it.

    Args:
        md5: of the list of its files, with the suffix `.dir`.
        size: bytes of all its files.
        path: where DVC puts the folder, beside the DVC file.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    md5: str = Field(pattern=r"^[0-9a-f]{32}\.dir$")
    size: int
    nfiles: int
    hash: Literal["md5"] = "md5"
    path: str = "data"


class _File(BaseModel):
    """A file of a folder; `relpath` is its POSIX path in the folder."""

    md5: str = Field(pattern=r"^[0-9a-f]{32}$")
    relpath: str


_FILE_LIST = TypeAdapter(list[_File])


@dataclass(frozen=True)
class Remote:
    """A DVC remote: files named by their MD5, among them lists of the files of folders."""

    location: Location

    def push(self, folder: Path, names: Iterable[str]) -> Tracked:
        """Store files of a folder; those that are there already, and intact, are not sent again.

        Args:
            names: their POSIX paths in the folder.

        Raises:
            MeshError: a file is missing, or the remote can't be used.
        """
        source = Location(str(folder))
        files: list[_File] = []
        for name in sorted(names):
            if (md5 := source.md5(name)) is None:
                raise MeshError(f"The file {folder / name} does not exist.")
            files.append(_File(md5=md5, relpath=name))
            if not self._is_intact(md5):
                self.location.remove(_path(md5))
                self.location.put(folder / name, _path(md5))
        listing = json.dumps([file.model_dump() for file in files], sort_keys=True)
        md5 = _digest(listing) + _LISTING
        if not self._is_intact(md5):
            self.location.remove(_path(md5))
            self.location.write(_path(md5), listing)
        size = sum((folder / file.relpath).stat().st_size for file in files)
        return Tracked(md5=md5, size=size, nfiles=len(files))

    def problems(self, tracked: Tracked) -> list[str]:
        """Read every file of a folder; one sentence for each that is missing or changed."""
        files = self._files(tracked)
        if files is None:
            return [self._no_list(tracked)]
        return [
            f"{file.relpath} is missing or changed"
            for file in files
            if not self._is_intact(file.md5)
        ]

    def fetch(self, tracked: Tracked, folder: Path) -> list[str]:
        """Copy the intact files of a folder; return a sentence for each that isn't, as `problems`."""
        files = self._files(tracked)
        if files is None:
            return [self._no_list(tracked)]
        problems = []
        for file in files:
            target = safe_path(folder, file.relpath)
            try:
                self.location.get(_path(file.md5), target)
            except MeshError as error:
                problems.append(f"{file.relpath} is missing: {as_clause(error)}")
                continue
            if Location(str(folder)).md5(file.relpath) != file.md5:
                target.unlink()
                problems.append(f"{file.relpath} is changed")
        return problems

    def _files(self, tracked: Tracked) -> list[_File] | None:
        """The files of a folder, or None if the list of them is missing or changed."""
        content = self.location.read(_path(tracked.md5))
        if content is None or _digest(content) + _LISTING != tracked.md5:
            return None
        try:
            return _FILE_LIST.validate_json(content)
        except ValidationError:
            return None

    def _is_intact(self, md5: str) -> bool:
        return self.location.md5(_path(md5)) == md5.removesuffix(_LISTING)

    def _no_list(self, tracked: Tracked) -> str:
        place = mask_url((self.location / _path(tracked.md5)).url)
        return f"the list of its files, {place}, is missing or changed"


def _path(md5: str) -> str:
    return f"{_FILES}/{md5[:2]}/{md5[2:]}"


def _digest(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
