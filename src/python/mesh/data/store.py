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

from mesh.core.data_names import LATEST, is_version
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError, as_clause
from mesh.core.files import atomic_directory, safe_path, write_text_atomic
from mesh.core.manifest import MANIFEST_FILE
from mesh.core.project import Project
from mesh.core.tracing import annotate_version
from mesh.data.files import Location
from mesh.data.manifest import DataManifest, Kind
from mesh.data.repair import repair, restore, tag_problems, version_problems
from mesh.data.settings import DataSettings
from mesh.data.shards import read_shards
from mesh.data.tags import Tag, Tagging, Tags
from mesh.data.versions import Versions

logger = logging.getLogger(__name__)

_LATEST_FILE = "latest.json"
_MADE_BY = {"raw": "ingest:ingest", "features": "register:register"}


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
        self._has_tags = kind == "features"
        self._location = Location(settings.root) / project.name / kind
        self._versions = Versions(project.name, self._location)
        self._tags = Tags(project, settings.root)

    def url(self, version: str) -> str:
        """The path or URL of a version."""
        return self._versions.folder(version).url

    def versions(self) -> list[str]:
        """The names of all complete versions, sorted."""
        return self._versions.names()

    def get(self, version: str = LATEST) -> DataManifest:
        """The manifest of a version, by its name or prefix, or by a tag; the latest by default.

        A tagged version that was removed is restored.

        Raises:
            MeshError: no version or several have the prefix, it is the tag of another version, or
                the manifest is damaged.
        """
        if version == LATEST:
            return self._versions.read(self._latest())
        tag = self._tag(version)
        if tag is None:
            return self._versions.read(self._only(version))
        if others := [name for name in self._beginning(version) if name != tag.meta.version]:
            raise MeshError(
                f"{version!r} is ambiguous: it is a tag of {tag.meta.version}, and {' and '.join(others)} "
                "begins with it; write more of the name, or remove the tag by "
                f"`mesh data untag {self._project.name} {version}`."
            )
        return self._tagged(tag)

    def tag(self, name: str, manifest: DataManifest, folder: Path) -> Tagging:
        """Give a version of features a permanent name, and DVC its files if it lacks them.

        Args:
            folder: for temporary files.

        Raises:
            UsageError: the name is malformed or reserved.
            MeshError: the name is another version's, or a file of this one is damaged.
        """
        with self.local(manifest, folder) as local:
            return self._tags.add(name, manifest, local.folder)

    def untag(self, name: str, *, force: bool = False) -> None:
        """Remove a tag of features, even a malformed one; no file of a version is removed.

        Raises:
            MeshError: there is no such tag; or only this one leads to a version that was removed
                from the store, unless `force`.
        """
        if name in self._tags.names() and not force and (lost := self._only_by(name)):
            raise MeshError(
                f"{lost} was removed from the store, and only the tag {name} leads to its files in "
                "DVC; use the tag once, which restores it, or repeat with --force."
            )
        self._tags.remove(name)

    def tags_of(self, manifest: DataManifest) -> list[str]:
        """The tags of a version; raw versions have none."""
        return self._tags.of(manifest.digest) if self._has_tags else []

    def check(self) -> dict[str, list[str]]:
        """Read every file of all versions and tags.

        Returns:
            sentences on the faults of each version, by its URL, and of each tag.
        """
        names = self.versions()
        found = {self.url(name): version_problems(self._versions, name) for name in names}
        if names:
            try:
                self._latest()
            except MeshError as error:
                found[self.url(_LATEST_FILE)] = [as_clause(error)]
        tags = self._tags.names() if self._has_tags else []
        return found | {
            f"{self._project.name}'s tag {name}": tag_problems(self._tags, name) for name in tags
        }

    def repair(self) -> tuple[list[str], list[str]]:
        """Repair tagged versions and their files in DVC.

        Returns:
            sentences on what was done, and on what can't be repaired.
        """
        return repair(self._versions, self._tags) if self._has_tags else ([], [])

    def _tag(self, name: str) -> Tag | None:
        """A tag of this kind of data; the whole name of a version is none."""
        return self._tags.find(name) if self._has_tags and not is_version(name) else None

    def _only_by(self, name: str) -> str | None:
        """The version that is no longer stored, and that no other tag leads to."""
        try:
            tag = self._tags.find(name)
        except MeshError:
            return None
        if tag is None or tag.meta.version in self.versions():
            return None
        return tag.meta.version if self._tags.of(tag.meta.digest) == [name] else None

    def _tagged(self, tag: Tag) -> DataManifest:
        if tag.meta.version not in self.versions():
            logger.info("restoring %s from DVC", self.url(tag.meta.version))
            restore(self._versions, self._tags, tag)
        manifest = self._versions.read(tag.meta.version)
        if manifest.digest != tag.meta.digest:
            raise MeshError(
                f"{self.url(manifest.version)} differs from the tagged version; remove it."
            )
        return manifest

    def find(self, inputs: str) -> DataManifest | None:
        """The intact version that was made from these inputs, if there is one."""
        for version in self.versions():
            manifest = self._versions.read(version)
            if manifest.inputs == inputs:
                problems = self.problems(manifest)
                if not problems:
                    annotate_version(version, inputs)
                    return manifest
                logger.warning("%s is damaged: %s", self.url(version), "; ".join(problems))
        return None

    def problems(self, manifest: DataManifest) -> list[str]:
        """Read every file of a version; one sentence for each that is missing or changed."""
        return self._versions.problems(manifest)

    def publish(self, folder: Path, manifest: DataManifest) -> DataManifest:
        """Store a folder's files as a version, and make it the latest; repair damaged files.

        Returns:
            The stored manifest; an older one if the same rows were stored before.

        Raises:
            MeshError: a file of the stored version is damaged, and the folder has another one.
        """
        version = manifest.version
        stored = self._versions.read(version) if version in self.versions() else None
        self._versions.write(folder, manifest, stored)
        self.set_latest(version)
        annotate_version(version, manifest.inputs)
        return stored or manifest

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
        location = self._versions.folder(manifest.version)
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
        location = self._versions.folder(manifest.version)
        if path := location.local_path:
            if problems := self.problems(manifest):
                raise self._damaged(location, problems)
            yield LocalData(path, manifest)
            return
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            yield self.fetch(manifest, Path(temporary) / manifest.version)

    def _damaged(self, location: Location, problems: list[str]) -> MeshError:
        advice = ", or `mesh data repair` if the version has a tag" if self._has_tags else ""
        return MeshError(
            f"{location.url} is damaged: {'; '.join(problems)}; run {_MADE_BY[self._kind]} again{advice}."
        )

    def _only(self, prefix: str) -> str:
        found = self._beginning(prefix)
        if len(found) != 1:
            raise MeshError(
                f"{len(found)} versions in {self._location.url} begin with {prefix!r}; there are: "
                f"{', '.join(self.versions()) or 'none'}."
            )
        return found[0]

    def _beginning(self, prefix: str) -> list[str]:
        return [name for name in self.versions() if prefix and name.startswith(prefix)]

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
