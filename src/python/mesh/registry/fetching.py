"""Brings a version into a directory, whatever the backend: verified, trusted, all or nothing."""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mesh.core.card import CARD_FILE, TEST_RESULTS, ModelCard
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, safe_path
from mesh.core.manifest import MANIFEST_FILE, FileEntry, Manifest
from mesh.core.progress import Advance
from mesh.registry.base import ModelVersion
from mesh.registry.signing import trust_problems
from mesh.registry.storage_errors import written_to
from mesh.registry.transfer import PARTS_SUFFIX, for_each

logger = logging.getLogger(__name__)

Download = Callable[[FileEntry, Path, Advance], FileEntry]
"""Downloads a file of a version to the same path below a directory, and returns its entry.

It resumes an interrupted call's file, or replaces it.
"""


def fetch_version(
    version: ModelVersion, directory: Path, download: Download, trusted_keys: Sequence[str]
) -> None:
    """Make a directory hold a version, unless it already does; resume an interrupted call.

    Raises:
        MeshError: the files aren't those that were published, the directory holds something else, or
            the version is signed with none of the trusted keys.
    """
    if _is_there(version, directory, trusted_keys):
        logger.info("%s is already in %s, every file verified", version.reference, directory)
        return
    entries = {entry.path: entry for entry in version.manifest.files}
    with atomic_directory(directory, replace=True, resume=True) as partial:
        _remove_others(partial, entries)

        def download_entry(path: str, advance: Advance) -> FileEntry:
            return _download(entries[path], partial, download, advance)

        sizes = {entry.path: entry.size for entry in version.manifest.files}
        with written_to(directory):
            fetched = for_each(download_entry, sizes, f"fetching {version.reference}")
        if problems := version.manifest.differences(fetched):
            raise MeshError(
                f"{version.reference} is damaged in the registry: {'; '.join(problems)}."
            )
        _check_trust(version, partial, trusted_keys)
        version.manifest.write(partial)


def _download(
    expected: FileEntry, partial: Path, download: Download, advance: Advance
) -> FileEntry:
    target = safe_path(partial, expected.path)
    resumed = target.is_file()
    record = target.with_name(target.name + PARTS_SUFFIX)
    if resumed and _is_whole(target, expected):
        record.unlink(missing_ok=True)
        target.chmod(0o644)
        advance(expected.size)
        return expected
    target.parent.mkdir(parents=True, exist_ok=True)
    entry = download(expected, partial, advance)
    if entry != expected and resumed:
        # The resumed file may be damaged, and not the registry's.
        target.unlink()
        entry = download(expected, partial, lambda _: None)
    # It remains where a download that began in parts ended in another way.
    record.unlink(missing_ok=True)
    target.chmod(0o644)
    return entry


def _is_whole(file: Path, expected: FileEntry) -> bool:
    same_size = file.stat().st_size == expected.size
    return same_size and FileEntry.of(file, expected.path) == expected


def _remove_others(partial: Path, entries: Mapping[str, FileEntry]) -> None:
    """Remove the files that an interrupted call has left of another version."""
    for path in sorted(partial.rglob("*"), reverse=True):
        name = path.relative_to(partial).as_posix().removesuffix(PARTS_SUFFIX)
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.rmdir()
        elif name not in entries or path.is_symlink():
            path.unlink()


def _is_there(version: ModelVersion, directory: Path, trusted_keys: Sequence[str]) -> bool:
    """Whether a directory holds a trusted version, and isn't replaced while it is read."""
    before = _identity(directory)
    try:
        if not _holds(directory, version):
            return False
        _check_trust(version, directory, trusted_keys)
    except (MeshError, FileNotFoundError):
        if _identity(directory) == before:
            raise
        return False
    return True


def _identity(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _check_trust(version: ModelVersion, directory: Path, trusted_keys: Sequence[str]) -> None:
    if problems := trust_problems(version, directory, trusted_keys):
        raise MeshError(f"{version.reference} is not trusted: {problems[0]}.")


def _holds(directory: Path, version: ModelVersion) -> bool:
    if not directory.exists():
        return False
    if not directory.is_dir():
        raise MeshError(
            f"{directory} isn't a directory; choose another one for {version.reference}."
        )
    if not any(directory.iterdir()):
        return False
    _check_is_version(directory, version)
    try:
        # Results of load tests aren't part of the version.
        problems = version.manifest.problems(directory, besides=f"*/{TEST_RESULTS}")
        if Manifest.read(directory) != version.manifest:
            problems.append(f"{MANIFEST_FILE} is another version's")
    except MeshError as error:
        problems = [str(error)]
    if problems:
        logger.warning("%s is fetched again: %s", version.reference, "; ".join(problems))
    return not problems


def _check_is_version(directory: Path, version: ModelVersion) -> None:
    """Refuse to replace a directory whose manifest and card can't be read as a version's."""
    unreadable = []
    for name, read in ((MANIFEST_FILE, Manifest.read), (CARD_FILE, ModelCard.read)):
        try:
            read(directory)
        except MeshError:
            if (directory / name).exists():
                unreadable.append(name)
        else:
            return
    if unreadable:
        raise MeshError(
            f"{directory} holds no model's files, or a damaged model: {' and '.join(unreadable)} can't be read as "
            f"a model's; remove the directory, or choose another one for {version.reference}."
        )
    raise MeshError(
        f"{directory} holds other files than a model's; choose another one for {version.reference}."
    )
