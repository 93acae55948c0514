"""Files of versions: in Neptune's own storage, or on S3 and tracked there by their URLs."""

import contextlib
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

import neptune  # pants: no-infer-dep
from neptune.attributes import Artifact  # pants: no-infer-dep

from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry, Manifest
from mesh.core.progress import Advance
from mesh.core.urls import mask_url
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
    """The URL on S3 below which new files are kept; none where they are uploaded to Neptune.

    Raises:
        UsageError: it is malformed, or of another kind of object storage.
    """
    if "://" not in settings.artifacts:
        return None
    if not _ROOT.fullmatch(settings.artifacts):
        raise UsageError(
            f"MESH_REGISTRY_ARTIFACTS={mask_url(settings.artifacts)!r} can't be used with Neptune: "
            "use s3://BUCKET/PREFIX, or a folder's name to upload files to Neptune."
        )
    return settings.artifacts.rstrip("/")


def version_part(project: str, reference: ModelReference) -> str:
    """The part of S3's URLs that a version's files have in common, below the root.

    Args:
        project: as `WORKSPACE/PROJECT`.
    """
    return f"{project}/{reference.name}/{reference}/"


@contextlib.contextmanager
def removed_on_error(objects: Objects, prefix: str | None) -> Iterator[None]:
    """Remove the objects below a URL if the version that they are for isn't completed.

    Raises:
        MeshError: there are objects already, which must be someone else's.
    """
    if prefix is None:
        yield
        return
    if found := objects.list(prefix):
        raise MeshError(
            f"{found[0]} already exists, though its version is new: "
            "give each Neptune server a MESH_REGISTRY_ARTIFACTS of its own."
        )
    try:
        yield
    except BaseException:
        try:
            objects.remove(prefix)
        except ObjectsError as error:
            logger.warning("Files of a version that failed remain: %s", error)
        raise


@dataclass(frozen=True)
class VersionFiles:
    """The files of a version.

    Args:
        stored: the version, opened.
        part: the part of their URLs below any root on S3.
    """

    stored: neptune.ModelVersion
    objects: Objects
    part: str
    _urls: dict[str, str] = dataclass_field(default_factory=dict)

    def store(self, file: Path, entry: FileEntry, root: str | None, advance: Advance) -> None:
        """Upload a file to Neptune, or to S3 below a root, where Neptune tracks it."""
        field = layout.field_of(entry.path)
        # Neptune's client tracks neither empty objects nor this character.
        if root is None or entry.size == 0 or "*" in field:
            self.upload(field, file)
            advance(entry.size)
            return
        url = f"{root}/{self.part}{field}"
        self.objects.upload(file, url, advance)
        # Neptune takes files of the same name and content for the same artifact, and returns the
        # URL of the first: the destination gives each file a name of its own.
        destination = f"{self.part}{field}"
        self.stored[field].track_files(url, destination=destination, wait=False)

    def upload(self, field: str, file: Path) -> None:
        """Upload a file to Neptune."""
        self.stored[field].upload(str(file))

    def download(self, path: str, root: Path, advance: Advance) -> FileEntry:
        """Download a file to the same path below a directory."""
        self.download_field(layout.field_of(path), root / path, path, advance)
        return FileEntry.of(root / path, path)

    def download_field(self, field: str, file: Path, path: str, advance: Advance) -> None:
        """Download the file in a field, wherever it is kept.

        Args:
            path: its name in errors.

        Raises:
            MeshError: it is missing.
        """
        found = self.stored.exists(field)
        if url := self._url(field):
            found = self.objects.download(url, file, advance)
        elif found:
            self.stored[field].download(destination=str(file), progress_bar=False)
            advance(file.stat().st_size)
        if not found:
            raise MeshError(f"{path} is missing in the registry's storage.")

    def own_prefixes(self) -> Sequence[str]:
        """The URLs on S3 below which there are only files of this version."""
        tracked = self._tracked(layout.file_fields(self.stored.get_structure()))
        endings = {field: f"/{self.part}{field}" for field in tracked}
        own = [field for field in tracked if tracked[field].endswith(endings[field])]
        return sorted({tracked[field].removesuffix(field) for field in own})

    def problems(self, version: ModelVersion, trusted: Sequence[str]) -> list[str]:
        """One sentence for each stored part of the version that is missing, extra or changed."""
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
        """Read all files that exist, whether they should or not."""
        attached = {layout.attachment_field(path) for path in version.attachments}
        fields = set(layout.file_fields(self.stored.get_structure())) - attached
        tracked = self._tracked(sorted(fields))
        listed = {url for prefix in self.own_prefixes() for url in self.objects.list(prefix)}
        missing = {
            field
            for field, url in tracked.items()
            if url not in listed and not self.objects.exists(url)
        }
        extra = listed - set(tracked.values())
        paths = {field: layout.path_of(field) for field in fields - missing}
        paths |= {url: self._extra_path(url, fields) for url in extra}
        sizes = {entry.path: entry.size for entry in version.manifest.files}

        def read(found: str, advance: Advance) -> FileEntry:
            if found in extra:
                entry = self.objects.read_entry(found, paths[found])
            else:
                entry = self._read(found, paths[found], temporary)
            advance(entry.size)
            return entry

        expected = {found: sizes.get(path, 0) for found, path in paths.items()}
        return for_each(read, expected, f"verifying {version.reference}")

    def _extra_path(self, url: str, fields: set[str]) -> str:
        """The name of an object without a field: its path, unless another file has that."""
        field = url.partition(f"/{self.part}")[2]
        return url if field in fields else layout.path_of(field)

    def _read(self, field: str, path: str, temporary: Path) -> FileEntry:
        """Read one file without keeping it, so that large versions fit on small disks."""
        if url := self._url(field):
            return self.objects.read_entry(url, path)
        with tempfile.TemporaryDirectory(dir=temporary) as own:
            file = Path(own) / "file"
            self.download_field(field, file, path, lambda _: None)
            return FileEntry.of(file, path)

    def _tracked(self, fields: Sequence[str]) -> Mapping[str, str]:
        """The URLs of the fields that are kept on S3."""
        with ThreadPoolExecutor(THREADS) as pool:
            urls = zip(fields, pool.map(self._url, fields), strict=True)
            return {field: url for field, url in urls if url}

    def _url(self, field: str) -> str | None:
        """The URL of a field's file, if it is tracked and not uploaded.

        Raises:
            MeshError: it is tracked elsewhere than on S3.
        """
        if not isinstance(self.stored.get_attribute(field), Artifact):
            return None
        if field in self._urls:
            return self._urls[field]
        files = self.stored[field].fetch_files_list()
        urls = [file.metadata["location"] for file in files if "location" in file.metadata]
        # Neptune tracks all objects whose names begin with this one's.
        url: str = min(urls, key=len, default="")
        if not url.startswith(_S3):
            raise MeshError(f"{field} is tracked in {url or 'nowhere'!r}, and not on S3.")
        self._urls[field] = url
        return url
