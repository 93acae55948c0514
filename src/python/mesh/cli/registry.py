"""`mesh registry`: show registered versions, move their aliases, copy them."""

import datetime
import json
import os
from pathlib import Path

import click
from rich.markup import escape

from mesh.cli.paths import TypedPath
from mesh.cli.registries import open_for, open_own, report_damage, settings_of
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError, UsageError, as_clause
from mesh.core.settings import load_settings, variable_name
from mesh.core.tables import make_table, print_table
from mesh.lifecycle.about import PROMOTED
from mesh.registry.base import ModelVersion
from mesh.registry.factory import open_registry, upgrade_registry
from mesh.registry.history import check_reason, check_rollback
from mesh.registry.provenance import copy_version
from mesh.registry.prune import unneeded
from mesh.registry.reference import ModelReference, check_new_alias
from mesh.registry.settings import RegistrySettings
from mesh.registry.signing import generate_keys


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
    survey = open_for(name).survey(name)
    code = report_damage(survey.damaged)
    if as_json:
        click.echo(json.dumps([_summary(version) for version in survey.versions], indent=2))
        return code
    table = make_table("version", "aliases", "created (UTC)", "MB", "made from")
    for version in survey.versions:
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
    version = open_own(reference).get(reference)
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
    check_new_alias(alias)
    reason = check_reason(why)
    if force and not reason:
        raise UsageError("--force needs a reason: add --why 'REASON', which the history records.")
    registry = open_own(reference)
    if alias == PROMOTED:
        # The other commands don't need what reads data.
        from mesh.data.settings import DataSettings
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
    check_rollback(reference)
    version = open_own().rollback(reference)
    click.echo(f"{reference} is now {version.reference}")


@group.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def history(name: str, as_json: bool) -> int:
    """List the moves of all aliases of the model NAME, oldest first.

    The exit code is 1 if the record of a move is damaged.
    """
    registry = open_for(name)
    moves = registry.history(name)
    damaged = registry.survey(name).damaged
    code = report_damage({name: damaged[name]} if name in damaged else {})
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
    ModelReference.parse(reference)
    source_settings, target_settings = settings_of(source), settings_of(target)
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
    registry, damaged = open_own(*references), False
    if not references:
        survey = registry.survey()
        damaged = bool(report_damage(survey.damaged))
        references = tuple(version.reference for version in survey.versions)
    for reference in references:
        try:
            problems = registry.verify(reference)
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
    registry = open_for(name)
    survey = registry.survey()
    shown = survey if name is None else survey.of(name)
    code = report_damage(shown.damaged)
    versions, reasons = unneeded(registry, survey, keep, name)
    table = make_table("version", "MB", "kept because")
    for version in shown.versions:
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


@group.command()
@click.option(
    "--without-copy",
    is_flag=True,
    help="A copy of a PostgreSQL database exists already; SQLite files are always copied.",
)
def upgrade(without_copy: bool) -> None:
    """Make a registry that an older MLflow has made usable, after a copy of its database."""
    click.echo(upgrade_registry(settings_of(""), without_copy=without_copy))


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
