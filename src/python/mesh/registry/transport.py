"""Copying versions from one registry to another, with what they were made from."""

import logging
import tempfile
from pathlib import Path

from mesh.core.card import ModelCard
from mesh.core.manifest import FileEntry
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.lineage import LINEAGE_FOLDER, attach_json, record_lineage
from mesh.registry.transfer import OWN_FILES

ORIGIN = "origin.json"
"""Attachment of a version that was copied: its reference and the digest of its files in the other registry."""

logger = logging.getLogger(__name__)


def copy_version(source: ModelRegistry, target: ModelRegistry, reference: str) -> ModelVersion:
    """Copy a version, the trained version that it was compiled from, and their attachments and aliases.

    Each registry gives its own numbers, so the copy may have another one, and its card names the copy of the trained
    version; it is signed if the target's settings have a key. All other files are the same by their digests. What the
    target has already is not copied again: a copy that was interrupted is completed by the next.

    Raises:
        MeshError: a version is damaged, or a registry can't be read or written.
    """
    original = source.get(reference)
    card = original.card
    if card.trained_version is not None:
        trained = copy_version(source, target, card.trained_version)
        card = card.model_copy(update={"trained_version": trained.reference})
    copy = _existing(target, original) or _publish(source, target, original, card)
    logger.info("%s is %s in the other registry", original.reference, copy.reference)
    origin = {"reference": original.reference, "digest": original.manifest.digest}
    attach_json(target, copy.reference, ORIGIN, origin)
    _copy_attachments(source, target, original, copy)
    record_lineage(target, copy)
    for alias in original.aliases:
        target.alias(copy.reference, alias)
    return target.get(copy.reference)


def _existing(target: ModelRegistry, original: ModelVersion) -> ModelVersion | None:
    found = target.find(original.name, original.card.fingerprint)
    return found if found and _content(found) == _content(original) else None


def _publish(
    source: ModelRegistry, target: ModelRegistry, original: ModelVersion, card: ModelCard
) -> ModelVersion:
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / original.reference
        # Verified by its sha256 when it is fetched, and again while it is published.
        source.fetch(original.reference, directory)
        return target.publish(original.name, directory, card)


def _content(version: ModelVersion) -> list[FileEntry]:
    return [entry for entry in version.manifest.files if entry.path not in OWN_FILES]


def _copy_attachments(
    source: ModelRegistry, target: ModelRegistry, original: ModelVersion, copy: ModelVersion
) -> None:
    """Copy what is not there yet; the lineage is recorded by the numbers of the target."""
    there = target.get(copy.reference).attachments
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "attachment"
        for path, entry in original.attachments.items():
            if path == ORIGIN or path.startswith(f"{LINEAGE_FOLDER}/"):
                continue
            if path in there and there[path] == entry:
                continue
            file.write_bytes(source.read_attachment(original.reference, path))
            target.attach(copy.reference, path, file)
