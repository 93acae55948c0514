"""`mesh lineage`: the origins of a version or of a backfill's output, back to the data."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from mesh.cli.paths import typed_path
from mesh.core.env_files import find_env_file
from mesh.core.errors import UsageError
from mesh.core.settings import load_settings
from mesh.data.settings import DataSettings
from mesh.lifecycle.lineage import trace_model
from mesh.lifecycle.output_lineage import trace_output
from mesh.registry.factory import open_registry
from mesh.registry.reference import ModelReference
from mesh.registry.settings import RegistrySettings

_WIDTH = 100_000


@click.command("lineage")
@click.argument("reference", required=False)
@click.option(
    "--output",
    metavar="PATH",
    help="Instead of a version: a file or folder that a backfill has written, by path or URL.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
def command(reference: str | None, output: str | None, as_json: bool) -> None:
    if (reference is None) == (output is None):
        raise UsageError("Give either the REFERENCE of a version, or --output PATH.")
    if reference is not None:
        # Opening a registry may make it.
        ModelReference.parse(reference)
    registry_settings, data = load_settings(
        [RegistrySettings, DataSettings], env_file=find_env_file(Path())
    )
    if output is not None:
        url = output if "://" in output else str(typed_path(output).absolute())
        lineage = trace_output(lambda: open_registry(registry_settings), data, url)
    else:
        lineage = trace_model(open_registry(registry_settings), data, reference or "")
    if as_json:
        click.echo(json.dumps(lineage, indent=2, ensure_ascii=False))
        return
    # A tree cuts off what is beyond the width, such as the end of a digest.
    Console(soft_wrap=True, width=_WIDTH).print(_tree(lineage))


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
