"""Folders in a DVC remote, without git and without a lasting working copy."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dvc.exceptions
from dvc.repo import Repo

from mesh.core.urls import mask_url
from mesh.core.errors import MeshError
from mesh.data.tags import FOLDER, Tracked


def push(folder: Path, remote: str, scratch: Path) -> Tracked:
    """Copy a folder's files into a remote; those it has already are not sent again.

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
    """Get a folder into an empty directory; return where it is.

    Raises:
        MeshError: the remote can't be read, or lacks a file.
    """
    with _repository(directory, remote) as repo:
        file = directory / f"{FOLDER}.dvc"
        file.write_text(json.dumps({"outs": [tracked.model_dump()]}))
        repo.pull(str(file))
    return directory / FOLDER


@contextlib.contextmanager
def _repository(directory: Path, remote: str) -> Iterator[Repo]:
    """A repository of DVC for the time of the block; everything of it is in the directory."""
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
