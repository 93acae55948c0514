"""`mesh data`: show, tag, fetch, compare, verify and repair versions of data."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mesh.cli.paths import TypedPath
from mesh.core.data_names import LATEST
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError
from mesh.core.project import Project, find_projects, get_project
from mesh.core.settings import load_settings
from mesh.core.tables import make_table, print_table
from mesh.data.difference import Difference
from mesh.data.manifest import DataManifest, Kind
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore, LocalData

_KINDS: tuple[Kind, ...] = ("features", "raw")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_kind = click.option(
    "--kind", type=click.Choice(_KINDS), default="features", show_default=True, help="Kind of data."
)


def _store(project: Project, kind: Kind) -> DataStore:
    (settings,) = load_settings([DataSettings], env_file=find_env_file(Path()))
    return DataStore(project, kind, settings)


def _stores(project: str | None) -> list[DataStore]:
    """The stores of all projects, or of one."""
    projects = [get_project(project)] if project else find_projects()
    return [_store(each, kind) for each in projects for kind in _KINDS]


@click.group("data")
def group() -> None:
    pass


@group.command("list")
@click.argument("project", required=False)
@_as_json
def list_versions(project: str | None, as_json: bool) -> None:
    """List the versions of all projects, or those of PROJECT."""
    found = [
        _summary(store, store.get(version))
        for store in _stores(project)
        for version in store.versions()
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    table = make_table("project", "kind", "version", "tags", "rows", "created (UTC)")
    for version in found:
        table.add_row(
            version["project"],
            version["kind"],
            version["version"],
            " ".join(version["tags"]),
            str(version["rows"]),
            version["created"][:16].replace("T", " "),
        )
    print_table(table)


@group.command()
@click.argument("project")
@click.argument("version", default=LATEST)
@_kind
def show(project: str, version: str, kind: Kind) -> None:
    """Print the manifest of a VERSION of PROJECT as JSON.

    VERSION is a tag or a name; the latest version by default.
    """
    store = _store(get_project(project), kind)
    manifest = store.get(version)
    details = _summary(store, manifest) | {"manifest": manifest.model_dump(mode="json")}
    click.echo(json.dumps(details, indent=2, ensure_ascii=False))


@group.command()
@click.argument("project")
@click.argument("tag")
@click.argument("version", default=LATEST)
def tag(project: str, tag: str, version: str) -> None:
    """Tag a VERSION of PROJECT's features permanently; the latest by default.

    Repeating a tag repairs the version's files in the DVC remote.
    """
    store = _store(get_project(project), "features")
    manifest = store.get(version)
    with tempfile.TemporaryDirectory() as folder:
        tagging = store.tag(tag, manifest, Path(folder))
    click.echo(f"{tag} {tagging} {manifest.version}")


@group.command()
@click.argument("project")
@click.argument("tag")
@click.option("--force", is_flag=True, help="Also if nothing else leads to the version's files.")
def untag(project: str, tag: str, force: bool) -> None:
    """Remove a TAG of PROJECT's features; the files of its version stay."""
    _store(get_project(project), "features").untag(tag, force=force)
    click.echo(f"{tag} is removed")


@group.command()
@click.argument("project", required=False)
def verify(project: str | None) -> int:
    """Check every stored file of all projects' versions and tags, or those of PROJECT.

    The exit code is 1 if a file is damaged.
    """
    damaged = [_report(store) for store in _stores(project)]
    return int(any(damaged))


@group.command()
@click.argument("project", required=False)
def repair(project: str | None) -> int:
    """Repair tagged versions of all projects, or of PROJECT, then verify all versions.

    A tagged version is stored twice, and each file is taken from where it is intact: the store, or
    the DVC remote. The exit code is 1 if a file stays damaged.
    """
    damaged = False
    for store in _stores(project):
        done, failed = store.repair()
        for sentence in (*done, *failed):
            click.echo(sentence)
        damaged = _report(store) or bool(failed) or damaged
    return int(damaged)


@group.command()
@click.argument("project")
@click.argument("version")
@click.argument("directory", type=TypedPath())
@_kind
def fetch(project: str, version: str, directory: Path, kind: Kind) -> None:
    """Copy a VERSION of PROJECT into the new DIRECTORY, and verify every file.

    VERSION is a tag or a name.
    """
    if directory.exists():
        raise MeshError(f"{directory} already exists; choose another directory.")
    store = _store(get_project(project), kind)
    local = store.fetch(store.get(version), directory)
    click.echo(f"{directory} holds {local.manifest.version}, {local.manifest.rows} rows")


@group.command()
@click.argument("project")
@click.argument("older")
@click.argument("newer", default=LATEST)
@_kind
@_as_json
def diff(project: str, older: str, newer: str, kind: Kind, as_json: bool) -> None:
    """Compare two versions of PROJECT by tag or name; NEWER is the latest by default."""
    store = _store(get_project(project), kind)
    with _local(store, older) as before, _local(store, newer) as after:
        difference = Difference.between(before, after)
    if as_json:
        click.echo(json.dumps(difference.as_dict(), indent=2))
        return
    table = make_table("", before.manifest.version, after.manifest.version)
    for part, (first, second) in difference.parts.items():
        table.add_row(f"{part} rows", str(first), str(second))
    for column, (was, now) in difference.columns.items():
        table.add_row(f"column {column}", was or "none", now or "none")
    print_table(table)
    click.echo(
        "the same rows"
        if difference.same
        else f"{difference.removed} rows removed, {difference.added} added, {difference.moved} in "
        "another part"
    )


def _report(store: DataStore) -> bool:
    """Print the state of each version and tag; return whether one has faults."""
    found = store.check()
    for name, problems in found.items():
        click.echo(f"{name}: {'; '.join(problems) or 'intact'}")
    return any(found.values())


@contextlib.contextmanager
def _local(store: DataStore, version: str) -> Iterator[LocalData]:
    with (
        tempfile.TemporaryDirectory() as folder,
        store.local(store.get(version), Path(folder)) as local,
    ):
        yield local


def _summary(store: DataStore, manifest: DataManifest) -> dict[str, Any]:
    return {
        "project": manifest.project,
        "kind": manifest.kind,
        "version": manifest.version,
        "digest": manifest.digest,
        "rows": manifest.rows,
        "bytes": sum(entry.size for entry in manifest.entries),
        "created": manifest.created.isoformat(),
        "tags": store.tags_of(manifest),
    }
