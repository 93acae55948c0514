"""The stored files of versions of one kind of data."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError, describe_invalid
from mesh.core.manifest import MANIFEST_FILE
from mesh.data.files import Location
from mesh.data.manifest import DataManifest


@dataclass(frozen=True)
class Versions:
    """The folders of versions, each complete or without a manifest.

    Args:
        project: the name of the project that they belong to.
        location: the folder of the versions' folders.
    """

    project: str
    location: Location

    def names(self) -> list[str]:
        """The names of all complete versions, sorted."""
        return [path.split("/")[0] for path in self.location.glob(f"*/{MANIFEST_FILE}")]

    def folder(self, name: str) -> Location:
        """The folder of a version."""
        return self.location / name

    def read(self, name: str) -> DataManifest:
        """The manifest of a version.

        Raises:
            MeshError: it is missing or damaged.
        """
        address = self.folder(f"{name}/{MANIFEST_FILE}").url
        try:
            content = self.location.read(f"{name}/{MANIFEST_FILE}") or b""
            manifest = DataManifest.model_validate_json(content)
        except ValidationError as error:
            raise MeshError(
                f"{address} is missing or malformed: {describe_invalid(error)}; run `mesh data "
                "repair`, or remove the version and make it again."
            ) from error
        if manifest.version != name or manifest.project != self.project:
            raise MeshError(
                f"{address} doesn't match the name of its folder; run `mesh data repair`, or "
                "remove the version and make it again."
            )
        return manifest

    def problems(self, manifest: DataManifest) -> list[str]:
        """Read every file of a version; one sentence for each that is missing or changed."""
        folder = self.folder(manifest.version)
        return [
            f"{entry.path} is missing or changed"
            for entry in manifest.entries
            if folder.sha256(entry.path) != entry.sha256
        ]

    def write(self, folder: Path, manifest: DataManifest, stored: DataManifest | None) -> None:
        """Store a local folder's files as a version, or repair those of a version that is there.

        Args:
            stored: the manifest of the version that is there, which says what its files must be.

        Raises:
            MeshError: a file of the stored version is damaged, and the folder has another one.
        """
        location = self.folder(manifest.version)
        for entry in (stored or manifest).entries:
            if stored and location.sha256(entry.path) == entry.sha256:
                continue
            source = folder / entry.path
            if not source.is_file() or sha256_file(source) != entry.sha256:
                raise MeshError(
                    f"{entry.path} in {location.url} is damaged, and the new one differs; run "
                    "`mesh data repair` if the version has a tag, or remove the version."
                )
            location.put(source, entry.path)
        if stored is None:
            location.write(MANIFEST_FILE, manifest.model_dump_json(indent=2))
