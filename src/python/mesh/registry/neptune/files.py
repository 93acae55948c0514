"""Files of versions: in Neptune's own storage, or on S3 and tracked there by their addresses."""

import contextlib
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

import neptune
from neptune.attributes import Artifact

from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry, Manifest
from mesh.core.progress import Advance
from mesh.registry.base import ModelVersion
from mesh.registry.neptune import layout
from mesh.registry.neptune.objects import Objects, ObjectsError
from mesh.registry.reference import ModelReference
from mesh.registry.settings import RegistrySettings
from mesh.registry.transfer import OWN_FILES, THREADS, for_each, record_problems, with_own_entry

_S3 = "s3://"
_ROOT = re.compile(r"s3://[A-Za-z0-9._-]+(/[^/*?#%\s]+)*/?")

logger = logging.getLogger(__name__)


def objects_root(settings: RegistrySettings) -> str | None:
    """The address on S3 below which new files are kept; none where they are uploaded to Neptune.

    Raises:
        UsageError: it is malformed, or some other object storage's.
    """
    if "://" not in settings.artifacts:
        return None
    if not _ROOT.fullmatch(settings.artifacts):
        raise UsageError(
            f"MESH_REGISTRY_ARTIFACTS={settings.masked(settings.artifacts)!r} can't be used with Neptune: "
            "use s3://BUCKET/PREFIX, or a folder's name to upload files to Neptune."
        )
    return settings.artifacts.rstrip("/")


def version_part(project: str, reference: ModelReference) -> str:
    """Where a version's files are below the root on S3.

    Args:
        project: as `WORKSPACE/PROJECT`.
    """
    return f"{project}/{reference.name}/{reference}/"


@contextlib.contextmanager
def removed_on_error(objects: Objects, prefix: str | None) -> Iterator[None]:
    """Let a version have the objects below an address, and remove them if it does not become one.

    Raises:
        MeshError: there are objects already, which must be someone else's.
    """
    if prefix is None:
        yield
        return
    if found := objects.list(prefix):
        raise MeshError(
            f"{found[0]} is there already, though its version is new: "
            "give each Neptune server a MESH_REGISTRY_ARTIFACTS of its own."
        )
    try:
        yield
    except BaseException:
        try:
            objects.remove(prefix)
        except ObjectsError as error:
            logger.warning("Files of a version that failed are left: %s", error)
        raise


@dataclass(frozen=True)
class VersionFiles:
    """The files of a version.

    Args:
        stored: the version, opened.
        part: where its files are below any root on S3.
    """

    stored: neptune.ModelVersion
    objects: Objects
    part: str
    _addresses: dict[str, str] = dataclass_field(default_factory=dict)

    def store(self, file: Path, entry: FileEntry, root: str | None, advance: Advance) -> None:
        """Upload a file to Neptune, or to S3 below a root to be tracked there."""
        field = layout.field_of(entry.path)
        # Neptune's client tracks neither empty objects nor this character.
        if root is None or entry.size == 0 or "*" in field:
            self.upload(field, file)
            advance(entry.size)
            return
        address = f"{root}/{self.part}{field}"
        self.objects.upload(file, address, advance)
        # Neptune takes what has the same names and content for the same artifact, and answers with the address of
        # the first: the destination makes the name this file's own.
        destination = f"{self.part}{field}"
        self.stored[field].track_files(address, destination=destination, wait=False)

    def upload(self, field: str, file: Path) -> None:
        """Upload a file to Neptune."""
        self.stored[field].upload(str(file))

    def download(self, path: str, root: Path, advance: Advance) -> FileEntry:
        """Bring a file to the same path below a directory."""
        self.download_field(layout.field_of(path), root / path, path, advance)
        return FileEntry.of(root / path, path)

    def download_field(self, field: str, file: Path, path: str, advance: Advance) -> None:
        """Bring the file in a field, wherever it is kept.

        Args:
            path: what it is called in errors.

        Raises:
            MeshError: it is missing.
        """
        found = self.stored.exists(field)
        if address := self._address(field):
            found = self.objects.download(address, file, advance)
        elif found:
            self.stored[field].download(destination=str(file), progress_bar=False)
            advance(file.stat().st_size)
        if not found:
            raise MeshError(f"{path} is missing in the registry's storage.")

    def own_prefixes(self) -> Sequence[str]:
        """The addresses on S3 below which there are only files of this version."""
        tracked = self._tracked(layout.file_fields(self.stored.get_structure()))
        endings = {field: f"/{self.part}{field}" for field in tracked}
        own = [field for field in tracked if tracked[field].endswith(endings[field])]
        return sorted({tracked[field].removesuffix(field) for field in own})

    def problems(self, version: ModelVersion, trusted: Sequence[str]) -> list[str]:
        """One sentence for each part of the version, as it is stored, that is missing, extra or changed."""
        with tempfile.TemporaryDirectory() as temporary:
            problems = with_own_entry(version.manifest).differences(
                self._read_all(version, Path(temporary))
            )
            own = Path(temporary) / "own"
            own.mkdir()
            for path in OWN_FILES:
                if self.stored.exists(layout.field_of(path)):
                    self.download(path, own, lambda _: None)
            fingerprint = self.stored[layout.FINGERPRINT].fetch()
            problems += record_problems(version, fingerprint, own, trusted)
            attached = {path: layout.attachment_field(path) for path in version.attachments}
            found = [
                self._read(field, path, Path(temporary))
                for path, field in attached.items()
                if self.stored.exists(field)
            ]
        expected = Manifest(files=tuple(version.attachments.values()))
        return problems + [f"attachment {problem}" for problem in expected.differences(found)]

    def _read_all(self, version: ModelVersion, temporary: Path) -> list[FileEntry]:
        """Read all files that are there, whether they should be or not."""
        attached = {layout.attachment_field(path) for path in version.attachments}
        fields = set(layout.file_fields(self.stored.get_structure())) - attached
        tracked = self._tracked(sorted(fields))
        listed = {
            address for prefix in self.own_prefixes() for address in self.objects.list(prefix)
        }
        missing = {
            field
            for field, address in tracked.items()
            if address not in listed and not self.objects.exists(address)
        }
        extra = listed - set(tracked.values())
        paths = {field: layout.path_of(field) for field in fields - missing}
        paths |= {address: self._extra_path(address, fields) for address in extra}
        sizes = {entry.path: entry.size for entry in version.manifest.files}

        def read(place: str, advance: Advance) -> FileEntry:
            if place in extra:
                entry = self.objects.read_entry(place, paths[place])
            else:
                entry = self._read(place, paths[place], temporary)
            advance(entry.size)
            return entry

        expected = {place: sizes.get(paths[place], 0) for place in paths}
        return for_each(read, expected, f"verifying {version.reference}")

    def _extra_path(self, address: str, fields: set[str]) -> str:
        """What an object without a field is called: by the path that it seems to have, unless that is another's."""
        field = address.partition(f"/{self.part}")[2]
        return address if field in fields else layout.path_of(field)

    def _read(self, field: str, path: str, temporary: Path) -> FileEntry:
        """Read one file without keeping it, so that a version need not fit on this machine twice."""
        if address := self._address(field):
            return self.objects.read_entry(address, path)
        with tempfile.TemporaryDirectory(dir=temporary) as own:
            file = Path(own) / "file"
            self.download_field(field, file, path, lambda _: None)
            return FileEntry.of(file, path)

    def _tracked(self, fields: Sequence[str]) -> Mapping[str, str]:
        """The addresses on S3 of those fields that are kept there."""
        with ThreadPoolExecutor(THREADS) as pool:
            addresses = zip(fields, pool.map(self._address, fields), strict=True)
            return {field: address for field, address in addresses if address}

    def _address(self, field: str) -> str | None:
        """The address of a field's file, if it is tracked and not uploaded.

        Raises:
            MeshError: it is tracked in some other place than S3.
        """
        if not isinstance(self.stored.get_attribute(field), Artifact):
            return None
        if field in self._addresses:
            return self._addresses[field]
        files = self.stored[field].fetch_files_list()
        addresses = [file.metadata["location"] for file in files if "location" in file.metadata]
        # Besides the object itself, all whose names begin with its name have been tracked.
        address: str = min(addresses, key=len, default="")
        if not address.startswith(_S3):
            raise MeshError(f"{field} is tracked in {address or 'no place'!r}, and not on S3.")
        self._addresses[field] = address
        return address
