"""`mesh lineage`: the origins of a version, back to the data."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from mesh.core.card import TEST_RESULTS, ModelCard
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError
from mesh.core.project import get_project
from mesh.core.settings import load_settings
from mesh.data.store import DataSettings, DataStore
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.reference import ModelReference
from mesh.registry.settings import RegistrySettings


@click.command("lineage")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
def command(reference: str, as_json: bool) -> None:
    # Opening a registry may make it.
    ModelReference.parse(reference)
    registry_settings, data = load_settings(
        [RegistrySettings, DataSettings], env_file=find_env_file(Path())
    )
    lineage = trace_model(open_registry(registry_settings), data, reference)
    if as_json:
        click.echo(json.dumps(lineage, indent=2, ensure_ascii=False))
        return
    Console(soft_wrap=True).print(_tree(lineage))


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


def _tree(node: dict[str, Any], parent: Tree | None = None) -> Tree:
    label = f"[bold]{escape(node['name'])}[/bold] ({node['kind']})"
    branch = parent.add(label) if parent else Tree(label)
    for name, value in node.items():
        if name not in ("name", "kind", "made_from") and value:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            branch.add(escape(f"{name.replace('_', ' ')}: {shown}"))
    for origin in node.get("made_from", []):
        _tree(origin, branch)
    return branch
