"""Moves versions' files in and out of a registry, whatever its backend."""

import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

from pydantic import SecretStr

from mesh.core.card import CARD_FILE, ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import MANIFEST_FILE, FileEntry, Manifest, plain_files
from mesh.core.progress import Advance, track_bytes
from mesh.registry.base import ModelVersion
from mesh.registry.signing import SIGNATURE_FILE, sign, trust_problems

logger = logging.getLogger(__name__)

THREADS = 8
"""Files that are moved at the same time, since storage behind a network responds late."""

KEPT_SECONDS = 7 * 24 * 3600
"""Time for which an interrupted publish can be resumed."""

OWN_FILES = (CARD_FILE, SIGNATURE_FILE)
"""The files that each version gets of its own, besides its manifest."""

PARTS_SUFFIX = "#parts"
"""End of the name of a file that lists another one's downloaded parts; no published file has it."""


class FileState(NamedTuple):
    """The metadata that change with a file's content; times are in nanoseconds."""

    size: int
    inode: int
    modified: int
    changed: int

    @classmethod
    def of(cls, file: Path) -> Self:
        """The current state of a file."""
        status = file.stat()
        return cls(status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def read_content(directory: Path) -> dict[str, FileState]:
    """The files of a directory to publish, without a card, a manifest or a signature of its own.

    Raises:
        MeshError: there is none, or the name of one isn't allowed everywhere.
    """
    files = {path.relative_to(directory).as_posix(): path for path in plain_files(directory)}
    content = {path: FileState.of(file) for path, file in files.items() if path not in OWN_FILES}
    if not content:
        raise MeshError(f"{directory} holds no files to publish.")
    for path in content:
        _check_file_path(path)
    return content


def check_unchanged(directory: Path, content: Mapping[str, FileState]) -> None:
    """Check that a directory's files are still those that were read.

    Raises:
        MeshError: they aren't.
    """
    if read_content(directory) != content:
        raise MeshError(f"{directory} changed while it was being published; publish it again.")


def check_path(path: str) -> str:
    """Return a path that came from outside: relative, POSIX, in its shortest form.

    Raises:
        UsageError: it is absolute, has `.`, `..`, a backslash, a control character or invalid
            Unicode.
    """
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or str(pure) != path:
        raise UsageError(f"{path!r} isn't a file's path: use a relative path without '.' and '..'.")
    if "\\" in path or not path.isprintable():
        raise UsageError(
            f"{path!r} isn't a file's path: use printable characters other than backslash."
        )
    return path


def _check_file_path(path: str) -> None:
    """Refuse paths that some storage changes, since they are parts of URLs there."""
    check_path(path)
    if set("#%?:") & set(path) or any(part != part.strip() for part in path.split("/")):
        raise MeshError(
            f"{path!r} can't be published: not all storage supports '#', '%', '?', ':' and outer spaces."
        )


def prepare(
    name: str, content: Sequence[FileEntry], card: ModelCard, staging: Path, signing_key: SecretStr
) -> Manifest:
    """Write a version's card, signature and manifest into an empty directory.

    Args:
        signing_key: the private key; empty for a version without a signature.

    Returns:
        The manifest, which lists the content, the card and the signature.
    """
    card.write(staging)
    if key := signing_key.get_secret_value():
        sign(key, name, (*content, *Manifest.of(staging).files), staging)
    entries = sorted(
        (*content, *Manifest.of(staging).files), key=lambda entry: PurePosixPath(entry.path)
    )
    manifest = Manifest(files=tuple(entries))
    manifest.write(staging)
    return manifest


def with_own_entry(manifest: Manifest) -> Manifest:
    """A version's files as they are stored: those in its manifest, and the manifest."""
    with tempfile.TemporaryDirectory() as temporary:
        manifest.write(Path(temporary))
        own = FileEntry.of(Path(temporary) / MANIFEST_FILE, MANIFEST_FILE)
    return Manifest(files=(*manifest.files, own))


def record_problems(
    version: ModelVersion, fingerprint: str, stored: Path, trusted_keys: Sequence[str]
) -> list[str]:
    """Compare a registry's record with the stored card and signature; one sentence a difference.

    Args:
        fingerprint: the one by which the registry finds the version.
        stored: a directory with the stored ones of `OWN_FILES`, also among other files.
    """
    own = Manifest(
        files=tuple(entry for entry in version.manifest.files if entry.path in OWN_FILES)
    )
    found = [FileEntry.of(stored / path, path) for path in OWN_FILES if (stored / path).is_file()]
    if own.differences(found):
        # A changed file is another problem, and says nothing about the record.
        return []
    problems = trust_problems(version, stored, trusted_keys)
    card = ModelCard.read(stored)
    if card != version.card:
        problems.append("the registry's record of the card is not the card that was published")
    if fingerprint != card.fingerprint:
        problems.append("the registry finds it by another fingerprint than the card's")
    return problems


def for_each(
    action: Callable[[str, Advance], FileEntry],
    sizes: Mapping[str, int],
    description: str,
    threads: int | None = None,
) -> list[FileEntry]:
    """Move several files at once, by their paths, large ones first; the first error ends it.

    Args:
        action: moves a file, and counts the moved bytes.
        sizes: bytes of each file.
        threads: how many at once; `THREADS` by default.

    Returns:
        The entries that the action returned, in no order.
    """
    ordered = sorted(sizes, key=lambda path: sizes[path], reverse=True)
    with (
        track_bytes(description, sum(sizes.values())) as advance,
        ThreadPoolExecutor(threads or THREADS) as pool,
    ):
        ended = threading.Event()

        def count(moved: int) -> None:
            # Otherwise one error would wait for all the large files that are moving.
            if ended.is_set():
                raise InterruptedError("another file could not be moved")
            advance(moved)

        moves = [pool.submit(action, path, count) for path in ordered]
        try:
            return [move.result() for move in as_completed(moves)]
        except BaseException:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
