"""`mesh registry`: show registered versions, move their aliases, copy them."""

import datetime
import json
import os
from pathlib import Path

import click
from rich.markup import escape

from mesh.cli.paths import TypedPath, typed_path
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError, UsageError, as_clause
from mesh.core.settings import load_settings, load_settings_of_file, variable_name
from mesh.core.tables import make_table, print_table
from mesh.lifecycle.about import PROMOTED
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.history import check_reason
from mesh.registry.provenance import copy_version
from mesh.registry.prune import unneeded
from mesh.registry.settings import RegistrySettings
from mesh.registry.signing import generate_keys


def _open() -> ModelRegistry:
    return open_registry(_settings(""))


def _settings(location: str) -> RegistrySettings:
    """Settings of a registry.

    Args:
        location: a URL, which goes with the user's own keys; an env file, which replaces the
            environment; or empty, for the user's own settings.
    """
    if "://" in location:
        return _settings("").model_copy(update={"uri": location, "artifacts": ""})
    if not location:
        own: RegistrySettings
        (own,) = load_settings([RegistrySettings], env_file=find_env_file(Path()))
        return own
    file = typed_path(location)
    if not file.is_file():
        raise UsageError(
            f"{location!r} is neither an env file nor a URL such as http://registry:5000."
        )
    given: RegistrySettings = load_settings_of_file(RegistrySettings, file)
    if "uri" not in given.model_fields_set:
        raise UsageError(
            f"{file} names no registry: {variable_name(RegistrySettings, 'uri')} is missing."
        )
    return given


@click.group("registry")
def group() -> None:
    pass


@group.command("list")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_versions(name: str | None, as_json: bool) -> int:
    """List all versions, or those of the model NAME.

    The exit code is 1 if a record is damaged.
    """
    registry = _open()
    versions, code = registry.list(name), _report_damage(registry, name)
    if as_json:
        click.echo(json.dumps([_summary(version) for version in versions], indent=2))
        return code
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
    print_table(table)
    return code


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
@click.option("--force", is_flag=True, help="Move prod whatever its conditions; needs --why.")
@click.option("--why", default="", help="The reason, which the history records.")
def alias(reference: str, alias: str, force: bool, why: str) -> None:
    """Point ALIAS (dev, stage, prod) at the version REFERENCE.

    The project's recipe may declare conditions for prod, such as scores and a passed load test.
    """
    registry, reason = _open(), check_reason(why)
    if force and not reason:
        raise UsageError("--force needs a reason: add --why 'REASON', which the history records.")
    if alias == PROMOTED:
        # The other commands don't need what reads data.
        from mesh.data.store import DataSettings
        from mesh.lifecycle.promotion import approve

        version = registry.get(reference)
        (data,) = load_settings([DataSettings], env_file=find_env_file(Path()))
        reference, reason = version.reference, approve(registry, data, version, reason, force=force)
    version = registry.alias(reference, alias, reason)
    click.echo(f"{version.name}:{alias} is now {version.reference}")


@group.command()
@click.argument("reference")
def rollback(reference: str) -> None:
    """Move the alias REFERENCE, such as KEYWORDS-COMPILED:prod, back to the version before."""
    version = _open().rollback(reference)
    click.echo(f"{reference} is now {version.reference}")


@group.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def history(name: str, as_json: bool) -> int:
    """List the moves of all aliases of the model NAME, oldest first.

    The exit code is 1 if the record of a move is damaged.
    """
    registry = _open()
    moves = registry.history(name)
    problem = registry.damaged(name).get(name)
    if problem:
        click.echo(f"error: {problem}", err=True)
    code = 1 if problem else 0
    if as_json:
        click.echo(json.dumps([move.model_dump(mode="json") for move in moves], indent=2))
        return code
    table = make_table("when (UTC)", "alias", "from", "to", "how", "who", "why")
    for move in moves:
        table.add_row(
            f"{move.when.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}",
            move.alias,
            str(move.before or ""),
            str(move.after),
            "rollback" if move.undo else "alias",
            move.who,
            escape(move.why),
        )
    print_table(table)
    return code


_LOCATION = "A URL, such as http://registry:5000, or an env file with MESH_REGISTRY_* settings."


@group.command()
@click.argument("reference")
@click.option(
    "--from", "source", default="", help=f"Registry to copy from; by default your own. {_LOCATION}"
)
@click.option("--to", "target", required=True, help=f"Registry to copy to. {_LOCATION}")
def push(reference: str, source: str, target: str) -> None:
    """Copy the version REFERENCE to another registry, with its lineage and attachments.

    An alias in REFERENCE, such as KEYWORDS-COMPILED:prod, is moved there too.
    """
    _copy(reference, source, target)


@group.command()
@click.argument("reference")
@click.option("--from", "source", required=True, help=f"Registry to copy from. {_LOCATION}")
@click.option(
    "--to", "target", default="", help=f"Registry to copy to; by default your own. {_LOCATION}"
)
def pull(reference: str, source: str, target: str) -> None:
    """Copy the version REFERENCE from another registry, with its lineage and attachments.

    An alias in REFERENCE, such as KEYWORDS-COMPILED:prod, is moved here too.
    """
    _copy(reference, source, target)


def _copy(reference: str, source: str, target: str) -> None:
    source_settings, target_settings = _settings(source), _settings(target)
    if source_settings.identity == target_settings.identity:
        raise UsageError("The registry to copy from and the one to copy to are the same.")
    copy = copy_version(open_registry(source_settings), open_registry(target_settings), reference)
    click.echo(f"{reference} is {copy.reference} there")
    # A new connection sees what others see.
    there = open_registry(target_settings)
    names = [copy.reference, *([copy.card.trained_version] if copy.card.trained_version else [])]
    problems = [f"{name}: {problem}" for name in names for problem in there.verify(name)]
    if problems:
        raise MeshError(f"The copy is damaged: {'; '.join(problems)}.")


@group.command()
@click.argument("references", nargs=-1)
def verify(references: tuple[str, ...]) -> int:
    """Check every stored file of the versions REFERENCES (all by default).

    The exit code is 1 if a file or a record is damaged, or can't be read.
    """
    registry = _open()
    damaged = False if references else bool(_report_damage(registry, None))
    for reference in references or [version.reference for version in registry.list(None)]:
        try:
            problems = registry.verify(reference)
        except UsageError:
            raise
        except MeshError as error:
            problems = [as_clause(error)]
        damaged = damaged or bool(problems)
        click.echo(f"{reference}: {'; '.join(problems) or 'intact'}")
    return 1 if damaged else 0


@group.command()
@click.argument("name", required=False)
@click.option(
    "--keep",
    type=click.IntRange(1),
    required=True,
    help="Number of newest versions of each model that are always kept.",
)
@click.option("--delete", is_flag=True, help="Delete them; without this flag they are only listed.")
def prune(name: str | None, keep: int, delete: bool) -> int:
    """Delete old versions that no alias, rollback or compiled version needs.

    What killed publishes have left is deleted as well. Without NAME, all models are considered. The
    exit code is 1 if a record is damaged, or a version can't be deleted.
    """
    registry = _open()
    code = _report_damage(registry, name)
    versions, reasons = unneeded(registry, keep, name)
    table = make_table("version", "MB", "kept because")
    for version in registry.list(name):
        size = f"{version.manifest.size / 1e6:.1f}"
        table.add_row(version.reference, size, "; ".join(reasons.get(version.reference, [])))
    print_table(table)
    for version in versions if delete else ():
        try:
            registry.delete(version.reference)
        except MeshError as error:
            click.echo(f"error: {error}", err=True)
            code = 1
        else:
            click.echo(f"{version.reference} is deleted")
    if versions and not delete:
        megabytes = sum(version.manifest.size for version in versions) / 1e6
        click.echo(
            f"{len(versions)} versions, {megabytes:.1f} MB: repeat with --delete to delete them"
        )
    for left in registry.leftovers(name, delete=delete):
        done = "is deleted" if delete else "repeat with --delete to delete it"
        fate = "it may still be under way" if left.in_use else done
        click.echo(f"left by a killed publish: {left.name}, {left.size / 1e6:.1f} MB: {fate}")
    return code


def _report_damage(registry: ModelRegistry, name: str | None) -> int:
    """Tell which records of all models, or of one, are damaged; the exit code."""
    problems = registry.damaged(name).values()
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    return 1 if problems else 0


@group.command()
@click.argument("file", type=TypedPath())
def keygen(file: Path) -> None:
    """Make a pair of keys: write the private one to the new env file FILE, print the public one."""
    private, public = generate_keys()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise MeshError(f"{file} can't be made: {error.strerror}.") from error
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{variable_name(RegistrySettings, 'signing_key')}={private}\n")
    click.echo(f"{variable_name(RegistrySettings, 'trusted_keys')}={public}")


def _summary(version: ModelVersion) -> dict[str, object]:
    return {
        "reference": version.reference,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "bytes": version.manifest.size,
        "fingerprint": version.card.fingerprint,
    }
