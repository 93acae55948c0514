"""Names for versions of features, such as `dataset_v22`, kept as DVC files beside the data.

A tag is one file that DVC can read, `<root>/<project>/tags/<tag>.dvc`. The version's files are in
the DVC remote `<root>/<project>/dvc`. The tag adds the version's name and SHA-256, which DVC
ignores, since DVC itself uses MD5. Reading a tag needs no git; the file may be committed.
"""

import datetime
import logging
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.project import TAG, Project
from mesh.data import dvc
from mesh.data.files import Location
from mesh.data.manifest import DataManifest

logger = logging.getLogger(__name__)


class Tagged(BaseModel):
    """The version that a tag names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    version: str
    digest: str
    created: datetime.datetime = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


class Tag(BaseModel):
    """A tag; as JSON it is a DVC file, since DVC reads YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outs: tuple[dvc.Tracked]
    meta: Tagged


class Tags:
    """The tags of a project's features.

    Args:
        root: where versions of data are stored.
    """

    def __init__(self, project: Project, root: str) -> None:
        self._project = project
        self._location = Location(root) / project.name / "tags"
        self._remote = (Location(root) / project.name / "dvc").url

    def names(self) -> list[str]:
        """All tags, sorted."""
        return [path.removesuffix(".dvc") for path in self._location.glob("*.dvc")]

    def find(self, name: str) -> Tag | None:
        """A tag by its name, or None if there is none.

        Raises:
            MeshError: it is malformed.
        """
        content = self._location.read(f"{name}.dvc") if TAG.fullmatch(name) else None
        if content is None:
            return None
        try:
            tag = Tag.model_validate_json(content)
        except ValidationError as error:
            raise MeshError(
                f"{self._url(name)} is malformed: {describe_invalid(error)}; restore it."
            ) from error
        if tag.meta.project != self._project.name:
            raise MeshError(
                f"{self._url(name)} is a tag of {tag.meta.project}, not of {self._project.name}."
            )
        return tag

    def add(self, name: str, manifest: DataManifest, folder: Path, scratch: Path) -> bool:
        """Give a version a permanent name; return whether the name is new.

        Args:
            folder: the version's verified files, with their manifest.
            scratch: folder for a second, temporary copy of them.

        Raises:
            UsageError: the name is malformed.
            MeshError: the name is another version's.
        """
        if not TAG.fullmatch(name):
            raise UsageError(
                f"{name!r} isn't a tag: use letters, digits, '_', '.', '-', 63 at most, such as dataset_v22."
            )
        if found := self.find(name):
            if found.meta.digest != manifest.digest:
                raise MeshError(
                    f"{name} already names the version {found.meta.version}, and a tag never moves; choose another."
                )
            return False
        tracked = dvc.push(folder, self._remote, scratch)
        meta = Tagged(project=self._project.name, version=manifest.version, digest=manifest.digest)
        self._location.write(
            f"{name}.dvc", Tag(outs=(tracked,), meta=meta).model_dump_json(indent=2)
        )
        return True

    def pull(self, tag: Tag, directory: Path) -> None:
        """Fetch a tag's files from DVC into a new folder.

        Raises:
            MeshError: DVC can't fetch them all.
        """
        with tempfile.TemporaryDirectory(dir=directory.parent) as temporary:
            dvc.pull(tag.outs[0], self._remote, Path(temporary)).rename(directory)

    def _url(self, name: str) -> str:
        return (self._location / f"{name}.dvc").url
