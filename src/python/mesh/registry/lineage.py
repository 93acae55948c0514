"""What was compiled from a trained version, kept with the trained version."""

import json
import tempfile
from pathlib import Path
from typing import Any

from mesh.registry.base import ModelRegistry, ModelVersion

LINEAGE_FOLDER = "compiled_model_versions"
"""Folder of the attachments of a trained version that name what was compiled from it."""


def record_lineage(registry: ModelRegistry, version: ModelVersion) -> None:
    """Attach a compiled version to the trained one that its card names; repeated, it does nothing."""
    if version.card.trained_version is None:
        return
    attach_json(
        registry,
        version.card.trained_version,
        f"{LINEAGE_FOLDER}/{version.reference}.json",
        {
            "reference": version.reference,
            "fingerprint": version.card.fingerprint,
            "created": version.created.isoformat(),
        },
    )


def attach_json(registry: ModelRegistry, reference: str, path: str, value: Any) -> None:
    """Attach a value as a JSON file, unless there is an attachment at the path."""
    if path in registry.get(reference).attachments:
        return
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "attachment.json"
        file.write_text(json.dumps(value, indent=2))
        registry.attach(reference, path, file)
