"""Immutable versions of datasets, in a folder or an object store.

A version is a folder `<root>/<project>/<kind>/<version>` named by the digest of its content. Its
manifest is written last, and a folder without one isn't a version. So neither a killed run nor a
store without renaming can leave half a version.
"""

import contextlib
import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_serializer
from pydantic_settings import SettingsConfigDict

from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError, describe_invalid
from mesh.core.files import atomic_directory, read_model, safe_path, write_text_atomic
from mesh.core.manifest import MANIFEST_FILE
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.urls import mask_url
from mesh.data.files import Location
from mesh.data.manifest import DataManifest, Kind
from mesh.data.shards import read_shards
from mesh.data.tags import Tag, Tags

logger = logging.getLogger(__name__)

LATEST = "latest"
_LATEST_FILE = "latest.json"
_MADE_BY = {"raw": "ingest:ingest", "features": "register:register"}


class DataSettings(MeshSettings):
    """The storage of versions of data."""

    model_config = SettingsConfigDict(env_prefix="DATA_")

    root: str = Field(
        ".mesh/data",
        description="Folder for versions, or URL such as s3://bucket/data.",
        repr=False,
    )

    @field_serializer("root", when_used="json")
    def masked(self, root: str) -> str:
        """The URL without its secrets."""
        return mask_url(root)


@dataclass(frozen=True)
class LocalData:
    """A verified version on the local disk."""

    folder: Path
    manifest: DataManifest

    def rows(self, part: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a part: `all`, or for features `train`, `validation` or `test`."""
        shards = [shard for shard in self.manifest.shards if shard.part == part]
        return read_shards(self.folder, shards)


class DataStore:
    """The versions of one kind of a project's data."""

    def __init__(self, project: Project, kind: Kind, settings: DataSettings) -> None:
        self._project = project
        self._kind = kind
        self._location = Location(settings.root) / project.name / kind
        self._tags = Tags(project, settings.root)

    def url(self, version: str) -> str:
        """The path or URL of a version."""
        return (self._location / version).url

    def versions(self) -> list[str]:
        """The names of all complete versions, sorted."""
        return [path.split("/")[0] for path in self._location.glob(f"*/{MANIFEST_FILE}")]

    def get(self, version: str = LATEST) -> DataManifest:
        """The manifest of a version, by its tag, name or prefix; the latest by default.

        A tagged version that was removed is restored.

        Raises:
            MeshError: no version or several have the prefix, or the manifest is damaged.
        """
        if tag := self._tags.find(version) if self._kind == "features" else None:
            return self._tagged(tag)
        name = self._latest() if version == LATEST else self._only(version)
        return self._read(name)

    def tag(self, name: str, manifest: DataManifest, folder: Path) -> bool:
        """Give a version of features a permanent name; return whether the name is new.

        Args:
            folder: for temporary files.

        Raises:
            UsageError: the name is malformed.
            MeshError: the name is another version's, or a file of this one is damaged.
        """
        with self.local(manifest, folder) as local:
            return self._tags.add(name, manifest, local.folder, folder)

    def tags_of(self, manifest: DataManifest) -> list[str]:
        """The tags of a version; raw versions have none."""
        if self._kind != "features":
            return []
        tags = {name: self._tags.find(name) for name in self._tags.names()}
        return [name for name, tag in tags.items() if tag and tag.meta.digest == manifest.digest]

    def _tagged(self, tag: Tag) -> DataManifest:
        if tag.meta.version not in self.versions():
            logger.info("restoring %s from DVC", self.url(tag.meta.version))
            self._restore(tag)
        manifest = self._read(tag.meta.version)
        if manifest.digest != tag.meta.digest:
            raise MeshError(
                f"{self.url(manifest.version)} differs from the tagged version; remove it."
            )
        return manifest

    def _restore(self, tag: Tag) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / tag.meta.version
            self._tags.pull(tag, folder)
            manifest = read_model(DataManifest, folder / MANIFEST_FILE, "tag the data again")
            if manifest.digest != tag.meta.digest:
                raise MeshError(f"DVC's files differ from the version {tag.meta.version}.")
            self._store(folder, manifest, None)

    def _read(self, name: str) -> DataManifest:
        address = self.url(f"{name}/{MANIFEST_FILE}")
        try:
            content = self._location.read(f"{name}/{MANIFEST_FILE}") or b""
            manifest = DataManifest.model_validate_json(content)
        except ValidationError as error:
            raise MeshError(
                f"{address} is missing or malformed: {describe_invalid(error)}; remove the version and make it again."
            ) from error
        if manifest.version != name or manifest.project != self._project.name:
            raise MeshError(
                f"{address} doesn't match the name of its folder; remove the version and make it again."
            )
        return manifest

    def find(self, inputs: str) -> DataManifest | None:
        """The intact version that was made from these inputs, if there is one."""
        for version in self.versions():
            manifest = self._read(version)
            if manifest.inputs == inputs:
                problems = self.problems(manifest)
                if not problems:
                    return manifest
                logger.warning("%s is damaged: %s", self.url(version), "; ".join(problems))
        return None

    def problems(self, manifest: DataManifest) -> list[str]:
        """Read every file of a version; one sentence for each that is missing or changed."""
        location = self._location / manifest.version
        return [
            f"{entry.path} is missing or changed"
            for entry in manifest.entries
            if location.sha256(entry.path) != entry.sha256
        ]

    def publish(self, folder: Path, manifest: DataManifest) -> DataManifest:
        """Store a folder's files as a version, and make it the latest; repair damaged files.

        Returns:
            The stored manifest; an older one if the same rows were stored before.

        Raises:
            MeshError: a file of the stored version is damaged, and the folder has another one.
        """
        version = manifest.version
        stored = self._read(version) if version in self.versions() else None
        self._store(folder, manifest, stored)
        self.set_latest(version)
        return stored or manifest

    def _store(self, folder: Path, manifest: DataManifest, stored: DataManifest | None) -> None:
        location = self._location / manifest.version
        for entry in (stored or manifest).entries:
            if stored and location.sha256(entry.path) == entry.sha256:
                continue
            source = folder / entry.path
            if not source.is_file() or sha256_file(source) != entry.sha256:
                raise MeshError(
                    f"{entry.path} in {location.url} is damaged and can't be made again; remove the version."
                )
            location.put(source, entry.path)
        if stored is None:
            location.write(MANIFEST_FILE, manifest.model_dump_json(indent=2))

    def set_latest(self, version: str) -> None:
        """Make a version the latest."""
        content = json.dumps({"version": version})
        if self._location.read(_LATEST_FILE) != content.encode():
            self._location.write(_LATEST_FILE, content)

    def fetch(self, manifest: DataManifest, directory: Path) -> LocalData:
        """Copy a version into a new local directory, and verify every file.

        Raises:
            MeshError: a file is missing or changed; the directory isn't created.
        """
        location = self._location / manifest.version
        with atomic_directory(directory, replace=True) as partial:
            for entry in manifest.entries:
                target = safe_path(partial, entry.path)
                location.get(entry.path, target)
                if sha256_file(target) != entry.sha256:
                    raise self._damaged(location, [f"{entry.path} differs from the manifest"])
            write_text_atomic(partial / MANIFEST_FILE, manifest.model_dump_json(indent=2))
        return LocalData(directory, manifest)

    @contextlib.contextmanager
    def local(self, manifest: DataManifest, folder: Path) -> Iterator[LocalData]:
        """A verified version on the local disk, fetched into `folder` if it is elsewhere.

        Raises:
            MeshError: a file is missing or changed.
        """
        location = self._location / manifest.version
        if path := location.local_path:
            if problems := self.problems(manifest):
                raise self._damaged(location, problems)
            yield LocalData(path, manifest)
            return
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            yield self.fetch(manifest, Path(temporary) / manifest.version)

    def _damaged(self, location: Location, problems: list[str]) -> MeshError:
        return MeshError(
            f"{location.url} is damaged: {'; '.join(problems)}; run {_MADE_BY[self._kind]} again."
        )

    def _only(self, prefix: str) -> str:
        versions = self.versions()
        found = [name for name in versions if prefix and name.startswith(prefix)]
        if len(found) != 1:
            raise MeshError(
                f"{len(found)} versions in {self._location.url} begin with {prefix!r}; there are: "
                f"{', '.join(versions) or 'none'}."
            )
        return found[0]

    def _latest(self) -> str:
        content = self._location.read(_LATEST_FILE)
        if content is None:
            raise MeshError(
                f"{self._location.url} holds no data; run {_MADE_BY[self._kind]} first."
            )
        try:
            return self._only(json.loads(content)["version"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MeshError(
                f"{self.url(_LATEST_FILE)} is malformed; run {_MADE_BY[self._kind]} again."
            ) from error
