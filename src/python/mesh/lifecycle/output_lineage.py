"""The origins of a backfill's output: the model and the input of a file, by the manifest beside it."""

import hashlib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from mesh.backfill.manifest import MANIFEST_FILE, BackfillManifest, ShardRecord, model_folder
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.manifest import FileEntry
from mesh.core.urls import mask_url
from mesh.data.files import Location, open_file_system, url_errors
from mesh.data.settings import DataSettings
from mesh.lifecycle.lineage import trace_model
from mesh.registry.base import ModelRegistry

_PREFIX = model_folder("")
"""Of the folders of models."""
_DEPTH = 2
"""Folders from a file of the output up to that of its manifest, at most."""


def trace_output(
    open_registry: Callable[[], ModelRegistry], data: DataSettings, url: str
) -> dict[str, Any]:
    """The lineage of a backfill's output.

    Args:
        open_registry: called if a registered version has predicted.
        url: a file of predictions or of rejected rows, or a folder: of one model's results, or the
            output with the results of one model.

    Returns:
        As `trace_model` does; `made_from` has the model, and for a file also its input.

    Raises:
        UsageError: this is no output of a backfill, or has results of several models.
        MeshError: it isn't complete, or the file has changed since.
    """
    folder, name = _find(url)
    manifest = _read(folder)
    found = {
        "name": mask_url(url),
        "kind": "output",
        "code": manifest.code_revision,
        "settings": manifest.settings,
    }
    model = _trace_model(open_registry, data, manifest)
    if not name:
        counts = {"rows": manifest.rows, "rejected": manifest.rejected}
        inputs = {"inputs": len(manifest.inputs)}
        return {**found, **counts, **inputs, "made_from": [model]}
    shard, entry = _shard_of(manifest, name, folder)
    _require_unchanged(folder, entry)
    return {
        **found,
        "digest": entry.sha256,
        "rows": shard.rows if entry == shard.data else shard.rejected,
        "first row": shard.first_row,
        "made_from": [model, _input(manifest, shard)],
    }


def _find(url: str) -> tuple[Location, str]:
    """The folder of the manifest, and the path in it; empty for the folder itself."""
    here = Location(url.rstrip("/"))
    models = _models(here)
    if len(models) > 1:
        raise UsageError(
            f"{mask_url(url)} has the results of {len(models)} models; name one of "
            f"{', '.join(models)}."
        )
    if models:
        return here / models[0], ""
    name, parent = "", here.url
    for _ in range(_DEPTH + 1):
        if parent.rpartition("/")[2].startswith(_PREFIX):
            return Location(parent), name
        parent, _, last = parent.rpartition("/")
        name = f"{last}/{name}".rstrip("/")
    raise UsageError(
        f"{mask_url(url)} is no output of a backfill: it is neither in a folder {_PREFIX}..., "
        "nor has one."
    )


def _models(folder: Location) -> list[str]:
    """The folders of models in a folder, by their names."""
    file_system, path = open_file_system(folder.url)
    with url_errors(folder.url):
        entries = file_system.ls(path, detail=False) if file_system.isdir(path) else []
    names = (str(entry).rstrip("/").rpartition("/")[2] for entry in entries)
    return sorted(name for name in names if name.startswith(_PREFIX))


def _read(folder: Location) -> BackfillManifest:
    content = folder.read(MANIFEST_FILE)
    if content is None:
        raise MeshError(
            f"{mask_url(folder.url)} has no {MANIFEST_FILE}: the backfill isn't complete. The same "
            "command goes on with it."
        )
    try:
        return BackfillManifest.model_validate_json(content)
    except ValidationError as error:
        raise MeshError(
            f"{mask_url((folder / MANIFEST_FILE).url)} is malformed: {describe_invalid(error)}."
        ) from error


def _shard_of(
    manifest: BackfillManifest, name: str, folder: Location
) -> tuple[ShardRecord, FileEntry]:
    for shard in manifest.shards:
        for entry in (shard.data, shard.rejects):
            if entry is not None and entry.path == name:
                return shard, entry
    raise UsageError(
        f"{name} is no file of predictions or rejected rows that the {MANIFEST_FILE} in "
        f"{mask_url(folder.url)} lists."
    )


def _require_unchanged(folder: Location, entry: FileEntry) -> None:
    content = folder.read(entry.path)
    place = mask_url((folder / entry.path).url)
    if content is None:
        raise MeshError(f"{place} does not exist, although the {MANIFEST_FILE} lists it.")
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise MeshError(
            f"{place} has changed since it was made: the {MANIFEST_FILE} has another digest."
        )


def _trace_model(
    open_registry: Callable[[], ModelRegistry], data: DataSettings, manifest: BackfillManifest
) -> dict[str, Any]:
    """The version that predicted, or the code if that is the model."""
    model = manifest.model
    own = {"fingerprint": model.fingerprint, "code": manifest.code_revision}
    if model.version is None:
        return {"name": model.name, "kind": "code", **own, "made_from": []}
    missing = {"name": model.version, "kind": "compiled", **own}
    try:
        traced = trace_model(open_registry(), data, model.version)
    except MeshError as error:
        return {**missing, "missing": str(error)}
    if traced["fingerprint"] != model.made_from.get("version"):
        return {**missing, "missing": "The registry has another version of this name."}
    return traced


def _input(manifest: BackfillManifest, shard: ShardRecord) -> dict[str, Any]:
    found = next((entry for entry in manifest.inputs if entry.name == shard.input), None)
    if found is None:
        return {
            "name": shard.input,
            "kind": "input",
            "missing": "The manifest doesn't describe it.",
        }
    return {
        "name": found.url,
        "kind": "input",
        "size": found.size,
        "version": found.version,
        "made_from": [],
    }
