"""`mesh registry`: look at registered versions and move their aliases."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from mesh.core.settings import find_env_file
from mesh.core.settings import load_settings
from mesh.core.tables import make_table
from mesh.registry.base import ModelRegistry
from mesh.registry.base import ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings


def _open() -> ModelRegistry:
    (settings,) = load_settings([RegistrySettings], env_file=find_env_file(Path()))
    return open_registry(settings)


@click.group("registry")
def group() -> None:
    """Look at registered models, move aliases, verify files."""


@group.command("list")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_versions(name: str | None, as_json: bool) -> None:
    """List all versions, or those of the model NAME."""
    versions = _open().list(name)
    if as_json:
        click.echo(json.dumps([_summary(version) for version in versions], indent=2))
        return
    table = make_table("version", "aliases", "created (UTC)", "MB", "made from")
    for version in versions:
        table.add_row(
            version.reference,
            " ".join(version.aliases),
            f"{version.created:%Y-%m-%d %H:%M}",
            f"{version.manifest.size / 1e6:.1f}",
            version.card.trained_version
            or (version.card.base_model.uri if version.card.base_model else ""),
        )
    Console().print(table)


@group.command()
@click.argument("reference")
def show(reference: str) -> None:
    """Print the card, files and attachments of one version as JSON."""
    version = _open().get(reference)
    details = _summary(version) | {
        "card": version.card.model_dump(mode="json"),
        "files": [entry.model_dump() for entry in version.manifest.files],
        "attachments": sorted(version.attachments),
    }
    click.echo(json.dumps(details, indent=2, ensure_ascii=False))


@group.command()
@click.argument("reference")
@click.argument("alias")
def alias(reference: str, alias: str) -> None:
    """Let ALIAS (dev, stage, prod) name the version REFERENCE."""
    version = _open().alias(reference, alias)
    click.echo(f"{version.name}:{alias} is now {version.reference}")


@group.command()
@click.argument("references", nargs=-1)
def verify(references: tuple[str, ...]) -> None:
    """Check every stored file of the versions REFERENCES (all by default); exit 1 if one is damaged."""
    registry = _open()
    damaged = False
    for reference in references or [version.reference for version in registry.list(None)]:
        problems = registry.verify(reference)
        damaged = damaged or bool(problems)
        click.echo(f"{reference}: {'; '.join(problems) or 'intact'}")
    sys.exit(1 if damaged else 0)


def _summary(version: ModelVersion) -> dict[str, object]:
    return {
        "reference": version.reference,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "bytes": version.manifest.size,
        "fingerprint": version.card.fingerprint,
    }
