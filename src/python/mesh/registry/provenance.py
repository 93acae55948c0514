"""The origin of versions: compiled from a trained one, or copied from another registry."""

import json
import logging
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from mesh.core.card import ModelCard
from mesh.core.manifest import FileEntry
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.reference import ModelReference
from mesh.registry.transfer import OWN_FILES

COMPILED = "compiled_model_versions"
"""Folder of a trained version's attachments that name the versions compiled from it."""

ORIGIN = "origin.json"
"""Attachment of a copied version: its reference and its files' digest in the other registry."""

logger = logging.getLogger(__name__)


def record_lineage(registry: ModelRegistry, version: ModelVersion) -> None:
    """Attach a compiled version to the trained one that its card names, once."""
    if version.card.trained_version is None:
        return
    _attach_json(
        registry,
        version.card.trained_version,
        f"{COMPILED}/{version.reference}.json",
        {
            "reference": version.reference,
            "fingerprint": version.card.fingerprint,
            "created": version.created.isoformat(),
        },
    )


def copy_version(source: ModelRegistry, target: ModelRegistry, reference: str) -> ModelVersion:
    """Copy a version, the trained one it was compiled from, and their attachments.

    If the reference names an alias, it is moved to the copy; others stay as they are. Each registry
    assigns its own numbers, so the copy may have a different one, and its card names the copy of the
    trained version. It is signed if the target's settings have a key. All other files have the same
    digests. What the target already has is not copied again: the next copy completes an interrupted
    one.

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
    _attach_json(target, copy.reference, ORIGIN, origin)
    _copy_attachments(source, target, original, copy)
    record_lineage(target, copy)
    alias = ModelReference.parse(reference).alias
    if alias is not None and alias in original.aliases:
        target.alias(copy.reference, alias)
    return target.get(copy.reference)


def _attach_json(registry: ModelRegistry, reference: str, path: str, value: Any) -> None:
    """Attach a value as a JSON file, unless there is an attachment at the path."""
    if path in registry.get(reference).attachments:
        return
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "attachment.json"
        file.write_text(json.dumps(value, indent=2))
        registry.attach(reference, path, file)


def _existing(target: ModelRegistry, original: ModelVersion) -> ModelVersion | None:
    found = target.find(original.name, original.card.fingerprint)
    return found if found and _same_content(found, original) else None


def _publish(
    source: ModelRegistry, target: ModelRegistry, original: ModelVersion, card: ModelCard
) -> ModelVersion:
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / original.reference
        # Its digests are verified when it is fetched, and again while it is published.
        source.fetch(original.reference, directory)
        same = partial(_same_content, original)
        return target.publish(original.name, directory, card, unless=same)


def _same_content(one: ModelVersion, other: ModelVersion) -> bool:
    return _content(one) == _content(other)


def _content(version: ModelVersion) -> list[FileEntry]:
    return [entry for entry in version.manifest.files if entry.path not in OWN_FILES]


def _copy_attachments(
    source: ModelRegistry, target: ModelRegistry, original: ModelVersion, copy: ModelVersion
) -> None:
    """Copy missing and changed attachments, besides the lineage, which has the target's numbers."""
    there = target.get(copy.reference).attachments
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "attachment"
        for path, entry in original.attachments.items():
            if path == ORIGIN or path.startswith(f"{COMPILED}/") or there.get(path) == entry:
                continue
            file.write_bytes(source.read_attachment(original.reference, path))
            target.attach(copy.reference, path, file)
