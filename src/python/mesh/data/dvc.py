"""Folders in a DVC remote, without git and without a permanent working copy."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mesh.core.errors import MeshError
from mesh.core.urls import mask_url

if TYPE_CHECKING:
    from dvc.repo import Repo

FOLDER = "data"
"""The folder that DVC tracks, beside the DVC file."""


class Tracked(BaseModel):
    """A folder as DVC tracks it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    md5: str
    path: str = FOLDER


def push(folder: Path, remote: str, scratch: Path) -> Tracked:
    """Copy a folder's files into a remote; those already there are not sent again.

    Raises:
        MeshError: the remote can't be written.
    """
    with (
        tempfile.TemporaryDirectory(dir=scratch) as temporary,
        _repository(Path(temporary), remote) as repo,
    ):
        copy = Path(temporary) / FOLDER
        shutil.copytree(folder, copy)
        (stage,) = repo.add(str(copy))
        repo.push()
        return Tracked.model_validate(stage.outs[0].dumpd())


def pull(tracked: Tracked, remote: str, directory: Path) -> Path:
    """Fetch a folder into an empty directory; return its path.

    Raises:
        MeshError: the remote can't be read, or lacks a file.
    """
    with _repository(directory, remote) as repo:
        file = directory / f"{FOLDER}.dvc"
        file.write_text(json.dumps({"outs": [tracked.model_dump()]}))
        repo.pull(str(file))
    return directory / FOLDER


@contextlib.contextmanager
def _repository(directory: Path, remote: str) -> "Iterator[Repo]":
    """A DVC repository for the duration of the block, entirely inside the directory."""
    import dvc.exceptions
    from dvc.repo import Repo

    settings = directory / ".dvc"
    settings.mkdir()
    url = remote if "://" in remote else str(Path(remote).absolute())
    (settings / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    remote = data\n"
        f"    site_cache_dir = {settings / 'site'}\n"
        f"['remote \"data\"']\n    url = {url}\n"
    )
    try:
        with Repo(str(directory)) as repo:
            yield repo
    except dvc.exceptions.DvcException as error:
        raise MeshError(f"DVC can't use {mask_url(remote)}: {error}.") from error
