"""Names for versions of features, such as `dataset_v22`, kept as DVC files beside the data.

A tag is one file that DVC can read, `<root>/<project>/tags/<tag>.dvc`. The version's files are in
the DVC remote `<root>/<project>/dvc`. The tag adds the version's name and SHA-256, which DVC
ignores, since DVC itself uses MD5. Reading a tag needs no git; the file may be committed.
"""

import datetime
import enum
import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesh.core.data_names import check_tag, is_tag
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.manifest import MANIFEST_FILE
from mesh.core.project import Project
from mesh.core.urls import mask_url
from mesh.data.dvc import Remote, Tracked
from mesh.data.files import Location
from mesh.data.manifest import DataManifest

logger = logging.getLogger(__name__)


class Tagging(enum.StrEnum):
    """What became of a tag, as the verb of a sentence."""

    NEW = "names"
    SAME = "already names"
    REPAIRED = "has its files in the DVC remote again and names"


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

    outs: tuple[Tracked]
    meta: Tagged


class Tags:
    """The tags of a project's features.

    Args:
        root: where versions of data are stored.
    """

    def __init__(self, project: Project, root: str) -> None:
        self._project = project
        self._location = Location(root) / project.name / "tags"
        self._remote = Remote(Location(root) / project.name / "dvc")

    @property
    def remote(self) -> str:
        """The DVC remote, as it may be shown."""
        return mask_url(self._remote.location.url)

    def names(self) -> list[str]:
        """All tags, sorted."""
        return [path.removesuffix(".dvc") for path in self._location.glob("*.dvc")]

    def find(self, name: str) -> Tag | None:
        """A tag by its name, or None if there is none.

        Raises:
            MeshError: it is malformed.
        """
        content = self._location.read(f"{name}.dvc") if is_tag(name) else None
        if content is None:
            return None
        try:
            tag = Tag.model_validate_json(content)
        except ValidationError as error:
            raise MeshError(
                f"{self._url(name)} is malformed: {describe_invalid(error)}; restore it, or remove "
                f"it by `mesh data untag {self._project.name} {name}` and tag the version again."
            ) from error
        if tag.meta.project != self._project.name:
            raise MeshError(
                f"{self._url(name)} is a tag of {tag.meta.project}, not of {self._project.name}."
            )
        return tag

    def of(self, digest: str) -> list[str]:
        """The tags of a version; malformed ones are passed by with a warning."""
        found = []
        for name in self.names():
            try:
                tag = self.find(name)
            except MeshError as error:
                logger.warning("%s", error)
                continue
            if tag and tag.meta.digest == digest:
                found.append(name)
        return found

    def add(self, name: str, manifest: DataManifest, folder: Path) -> Tagging:
        """Give a version a permanent name; if it has it already, see that DVC has its files.

        Args:
            folder: the version's verified files, with their manifest.

        Raises:
            UsageError: the name is malformed or reserved.
            MeshError: the name is another version's.
        """
        try:
            check_tag(name)
        except ValueError as error:
            raise UsageError(f"{name!r} isn't a tag: {error}.") from error
        found = self.find(name)
        if found is None:
            meta = Tagged(
                project=self._project.name, version=manifest.version, digest=manifest.digest
            )
            self._push(name, meta, manifest, folder)
            return Tagging.NEW
        if found.meta.digest != manifest.digest:
            raise MeshError(
                f"{name} already names the version {found.meta.version}, and a tag never moves; choose another."
            )
        return Tagging.REPAIRED if self.repair(name, found, manifest, folder) else Tagging.SAME

    def repair(self, name: str, tag: Tag, manifest: DataManifest, folder: Path) -> bool:
        """Send a tag's files to DVC again if they are damaged there; return whether they were.

        Args:
            manifest: of the same rows; where other files differ, these take their place.
            folder: as with `add`.
        """
        if not self.problems(tag):
            return False
        self._push(name, tag.meta, manifest, folder)
        return True

    def remove(self, name: str) -> None:
        """Remove a tag, even a malformed one; its files stay with DVC.

        Raises:
            MeshError: there is none of that name.
        """
        names = self.names()
        if name not in names:
            raise MeshError(
                f"{self._project.name} has no tag {name!r}; there are: {', '.join(names) or 'none'}."
            )
        self._location.remove(f"{name}.dvc")

    def problems(self, tag: Tag) -> list[str]:
        """Read all files that DVC has of a tag; a sentence for each that is missing or changed."""
        return self._remote.problems(tag.outs[0])

    def fetch(self, tag: Tag, folder: Path) -> list[str]:
        """Copy a tag's intact files from DVC into a folder; a sentence for each that isn't."""
        return self._remote.fetch(tag.outs[0], folder)

    def _push(self, name: str, meta: Tagged, manifest: DataManifest, folder: Path) -> None:
        files = (MANIFEST_FILE, *(entry.path for entry in manifest.entries))
        tag = Tag(outs=(self._remote.push(folder, files),), meta=meta)
        self._location.write(f"{name}.dvc", tag.model_dump_json(indent=2))

    def _url(self, name: str) -> str:
        return (self._location / f"{name}.dvc").url
