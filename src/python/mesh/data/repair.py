"""Faults of stored versions and tags, and the repair of tagged versions.

A tagged version is stored twice: in the store, and in the DVC remote of tags. Each file is taken
from where it is intact.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from mesh.core.data_names import check_tag
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError, as_clause
from mesh.core.files import write_text_atomic
from mesh.core.manifest import MANIFEST_FILE
from mesh.data.manifest import DataManifest
from mesh.data.tags import Tag, Tags
from mesh.data.versions import Versions

logger = logging.getLogger(__name__)


def version_problems(versions: Versions, name: str) -> list[str]:
    """Read every file of a version; a sentence for each that is missing, changed or malformed."""
    try:
        return versions.problems(versions.read(name))
    except MeshError as error:
        return [as_clause(error)]


def tag_problems(tags: Tags, name: str) -> list[str]:
    """Read every file that DVC has of a tag; a sentence for each fault, and for a reserved name."""
    try:
        tag = tags.find(name)
        problems = tags.problems(tag) if tag else []
    except MeshError as error:
        problems = [as_clause(error)]
    try:
        check_tag(name)
    except ValueError as error:
        problems.append(f"{error}, and remove this one by `mesh data untag`")
    return problems


def restore(versions: Versions, tags: Tags, tag: Tag) -> None:
    """Store a tagged version that was removed again.

    Raises:
        MeshError: DVC hasn't all of its files.
    """
    with _gathered(versions, tags, tag) as (folder, manifest):
        versions.write(folder, manifest, None)


def repair(versions: Versions, tags: Tags) -> tuple[list[str], list[str]]:
    """Repair what tags name: in the store, unless it was removed there, and in DVC.

    Returns:
        sentences on what was done, and on what can't be repaired.
    """
    done: list[str] = []
    failed = _repair(versions, tags, done)
    if failed and done:
        # What one tag brought back may complete another.
        failed = _repair(versions, tags, done)
    return done, failed


def _repair(versions: Versions, tags: Tags, done: list[str]) -> list[str]:
    failed = []
    for name in tags.names():
        try:
            if tag := tags.find(name):
                done += _repair_tag(versions, tags, name, tag)
        except MeshError as error:
            failed.append(f"{name}: {as_clause(error)}")
    return failed


def _repair_tag(versions: Versions, tags: Tags, name: str, tag: Tag) -> Iterator[str]:
    version = tag.meta.version
    is_damaged = version in versions.names() and bool(version_problems(versions, version))
    if not is_damaged and not tags.problems(tag):
        return
    with _gathered(versions, tags, tag) as (folder, manifest):
        if is_damaged:
            versions.write(folder, manifest, _stored(versions, tag))
            yield f"{versions.folder(version).url} is whole again"
        if tags.repair(name, tag, manifest, folder):
            yield f"{tags.remote} has all files of {name} again"


@contextmanager
def _gathered(versions: Versions, tags: Tags, tag: Tag) -> Iterator[tuple[Path, DataManifest]]:
    """A temporary folder with every file of a tagged version, and its manifest."""
    location = versions.folder(tag.meta.version)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        problems = tags.fetch(tag, folder)
        manifest = _stored(versions, tag) or _read(folder / MANIFEST_FILE, tag)
        if manifest is None:
            raise _lost(tags, tag, problems or [f"{MANIFEST_FILE} is of another version"])
        missing = []
        for entry in manifest.entries:
            target = folder / entry.path
            if target.is_file() and sha256_file(target) == entry.sha256:
                continue
            if location.sha256(entry.path) == entry.sha256:
                location.get(entry.path, target)
            else:
                missing.append(f"{entry.path} is missing or changed")
        if missing:
            raise _lost(tags, tag, missing)
        write_text_atomic(folder / MANIFEST_FILE, manifest.model_dump_json(indent=2))
        yield folder, manifest


def _stored(versions: Versions, tag: Tag) -> DataManifest | None:
    """The manifest of the tag's version in the store, if it is there and intact."""
    if tag.meta.version not in versions.names():
        return None
    try:
        manifest = versions.read(tag.meta.version)
    except MeshError as error:
        logger.warning("%s", error)
        return None
    return manifest if manifest.digest == tag.meta.digest else None


def _read(path: Path, tag: Tag) -> DataManifest | None:
    """The manifest from DVC, if it is there and of the tag's version."""
    try:
        manifest = DataManifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return manifest if manifest.digest == tag.meta.digest else None


def _lost(tags: Tags, tag: Tag, problems: list[str]) -> MeshError:
    return MeshError(
        f"The tagged version {tag.meta.version} isn't whole in {tags.remote}, nor in the store: "
        f"{'; '.join(problems)}. Make it again by register:register from the same raw version with "
        "the same settings, and repeat the tag."
    )
