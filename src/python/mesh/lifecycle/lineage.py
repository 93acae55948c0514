"""The origins of a version, back to the data."""

from collections.abc import Iterator, Mapping
from typing import Any

from mesh.core.card import TEST_RESULTS, ModelCard
from mesh.core.errors import MeshError
from mesh.core.project import get_project
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from mesh.registry.base import ModelRegistry


def trace_model(registry: ModelRegistry, data: DataSettings, reference: str) -> dict[str, Any]:
    """The lineage of a registered version.

    Returns:
        `name`, `kind`, further facts, and under `made_from` the same of each origin. An origin that
        no longer exists has only `name`, `kind` and, under `missing`, the reason.

    Raises:
        MeshError: there is no such version.
    """
    version = registry.get(reference)
    card = version.card
    return {
        "name": version.reference,
        "kind": card.model_type,
        "created": version.created.isoformat(),
        "files": version.manifest.digest,
        **_made_by(card),
        "settings": card.settings.get("compile", card.settings),
        "served_as_image": sorted(
            {
                path.split("/")[1]
                for path in version.attachments
                if path.startswith(f"{TEST_RESULTS}/")
            }
        ),
        "made_from": _origins(registry, data, card),
    }


def _made_by(card: ModelCard) -> dict[str, Any]:
    return {
        "fingerprint": card.fingerprint,
        "code": card.code_revision,
        "image": card.environment.get("image", "none"),
        "environment": {name: value for name, value in card.environment.items() if name != "image"},
    }


def _origins(registry: ModelRegistry, data: DataSettings, card: ModelCard) -> list[dict[str, Any]]:
    if card.trained_version:
        try:
            return [trace_model(registry, data, card.trained_version)]
        except MeshError as error:
            return [{"name": card.trained_version, "kind": "trained", "missing": str(error)}]
    origins = []
    if card.data_version:
        origins.append(_trace_data(card.project, card.data_version, data))
    if card.base_model:
        base = card.base_model
        origins.append(
            {
                "name": base.uri,
                "kind": "base",
                "revision": base.revision or "none",
                "digest": base.digest,
                "made_from": [],
            }
        )
    return origins


def _trace_data(project: str, version: str, settings: DataSettings) -> dict[str, Any]:
    name = version.rpartition("/")[2]
    try:
        store = DataStore(get_project(project), "features", settings)
        features = store.get(name)
        tags = store.tags_of(features)
    except MeshError as error:
        return {"name": name, "kind": "features", "missing": str(error)}
    source = dict(features.source)
    raw = source.pop("raw_version", None)
    return {
        "name": features.version,
        "kind": "features",
        "created": features.created.isoformat(),
        "digest": features.digest,
        "tags": tags,
        "rows": features.rows,
        **source,
        "made_from": [_trace_raw(project, raw, settings)] if raw else [],
    }


def _trace_raw(project: str, version: str, settings: DataSettings) -> dict[str, Any]:
    try:
        raw = DataStore(get_project(project), "raw", settings).get(version)
    except MeshError as error:
        return {"name": version, "kind": "raw", "missing": str(error)}
    return {
        "name": raw.version,
        "kind": "raw",
        "created": raw.created.isoformat(),
        "digest": raw.digest,
        "rows": raw.rows,
        "source": raw.source,
        "made_from": [],
    }


def nodes_of(lineage: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A version and all its origins."""
    yield lineage
    for origin in lineage.get("made_from", ()):
        yield from nodes_of(origin)


def source_folders(node: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The files that raw data was read from, by their folders; none of other nodes."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    source = node.get("source")
    if node["kind"] == "raw" and isinstance(source, Mapping):
        for file in source.get("files", ()):
            name = str(file.get("name", ""))
            found.setdefault(name.rpartition("/")[0] or name, []).append(file)
    return found
