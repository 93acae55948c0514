"""`mesh report`: what people need to know of a version, as one HTML file."""

from pathlib import Path

import click

from mesh.cli.paths import TypedPath, typed_path
from mesh.core.env_files import find_env_file
from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.settings import load_settings
from mesh.data.settings import DataSettings
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.reference import ModelReference
from mesh.registry.settings import RegistrySettings
from mesh.report.content import compare, read_content, read_report
from mesh.report.page import comparison_page, report_page

ATTACHMENT = "report.html"
"""The path of the report among a version's attachments."""


@click.command("report")
@click.argument("reference", required=False)
@click.option("--compare", "pair", nargs=2, metavar="A B", help="Compare two versions of a model.")
@click.option(
    "--output",
    type=TypedPath(),
    help="The file to write; by default named after the version, here.",
)
@click.option(
    "--no-attach", is_flag=True, help="Only write the file; a comparison is never attached."
)
def command(
    reference: str | None, pair: tuple[str, str] | None, output: Path | None, no_attach: bool
) -> None:
    if (reference is None) == (pair is None):
        raise UsageError("Name one version, or two after --compare.")
    for each in pair or (str(reference),):
        # Opening a registry may make it.
        ModelReference.parse(each)
    registry_settings, data = load_settings(
        [RegistrySettings, DataSettings], env_file=find_env_file(Path())
    )
    registry = open_registry(registry_settings)
    if pair:
        _write_comparison(registry, data, pair, output)
        return
    report = read_report(registry, data, str(reference))
    version = report.content.version
    file = output or typed_path(f"{version.reference}.html")
    _write(file, report_page(report))
    if not no_attach:
        registry.attach(version.reference, ATTACHMENT, file)
        click.echo(f"{version.reference} has it as {ATTACHMENT}")


def _write_comparison(
    registry: ModelRegistry, data: DataSettings, pair: tuple[str, str], output: Path | None
) -> None:
    one, other = map(registry.get, pair)
    if one.name != other.name:
        raise UsageError(
            f"{one.reference} and {other.reference} are versions of different models; compare "
            "versions of one."
        )
    if one.version == other.version:
        raise UsageError(f"{pair[0]} and {pair[1]} are the same version.")
    contents = [read_content(registry, data, each.reference) for each in (one, other)]
    file = output or typed_path(f"{one.reference}-and-{other.version}.html")
    _write(file, comparison_page(compare(registry, data, *contents)))


def _write(file: Path, page: str) -> None:
    write_text_atomic(file, page)
    click.echo(f"{file} is written ({len(page.encode()) / 1000:.0f} kB)")
