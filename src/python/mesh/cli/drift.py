"""`mesh drift`: whether the predictions of a server differ from those of a reference."""

import datetime
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from mesh.cli.paths import TypedPath
from mesh.core.card import CARD_FILE, ModelCard
from mesh.core.env_files import find_env_file
from mesh.core.errors import UNDECIDED, MeshError, UsageError
from mesh.core.files import write_text_atomic
from mesh.core.project import Project, get_project
from mesh.core.settings import load_settings
from mesh.core.tables import make_table, print_table
from mesh.core.workspace import WorkspaceSettings
from mesh.drift.comparison import COLUMNS, compare
from mesh.drift.reference import Reference
from mesh.drift.report import DriftReport
from mesh.drift.sample import Sample
from mesh.drift.sources import Predictions, Served, Wanted, read_predictions
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from mesh.report.drift import drift_page

EXIT_CODES = {"no drift": 0, "undecided": UNDECIDED, "drift": 4}
"""By the verdict. Another failure is 1, wrong arguments and damaged logs are 2."""

_ANOTHER = "name the log of another time, or the output of a backfill, by --reference"


@click.command("drift")
@click.argument("project")
@click.option(
    "--log",
    type=TypedPath(),
    required=True,
    help="Folder of a server's log (SERVE_PREDICTION_LOG_DIR), or output of a backfill.",
)
@click.option(
    "--reference",
    "reference_folder",
    type=TypedPath(),
    help="Another such folder to compare with; by default the version's own reference.",
)
@click.option("--version", default="", help="Number, or fingerprint's beginning, of the version.")
@click.option(
    "--reference-version", default="", help="The version of --reference; by default the only one."
)
@click.option(
    "--hours",
    type=click.FloatRange(0, 1_000_000, min_open=True),
    help="Only the log of the last so many hours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--html", type=TypedPath(), help="A file to write a report for people to.")
@click.option(
    "--metrics",
    type=TypedPath(),
    help="A file to write metrics to, for the textfile collector of Prometheus' node exporter.",
)
def command(
    project: str,
    log: Path,
    reference_folder: Path | None,
    version: str,
    reference_version: str,
    hours: float | None,
    as_json: bool,
    html: Path | None,
    metrics: Path | None,
) -> int:
    if reference_version and reference_folder is None:
        raise UsageError("--reference-version names a version of --reference, which is missing.")
    found = get_project(project)
    now = datetime.datetime.now(datetime.UTC)
    since = None if hours is None else now - datetime.timedelta(hours=hours)
    current = read_predictions(log, Wanted(found, version, since, "--log"))
    if reference_folder:
        other = read_predictions(
            reference_folder, Wanted(found, reference_version, None, "--reference")
        )
        reference, source = other.sample, f"{other.source}, version {other.served}"
    else:
        reference, source = _own_reference(found, current.served)
    report = DriftReport.of(found.name, current, source, compare(reference, current.sample))
    _show(report, current, as_json=as_json)
    for file, text in ((html, drift_page), (metrics, DriftReport.metrics)):
        _write(file, text, report)
    return EXIT_CODES[report.drift.verdict]


def _own_reference(project: Project, served: Served) -> tuple[Sample, str]:
    """The reference that a version keeps, and where its documents come from.

    Raises:
        UsageError: it keeps none, or isn't known here.
    """
    if project.kind != "trained":
        raise UsageError(
            f"{project.name} has no versions that keep a reference, since its code is its model; "
            f"{_ANOTHER}."
        )
    workspace, registry_settings = load_settings(
        [WorkspaceSettings, RegistrySettings], env_file=find_env_file(Path())
    )
    for directory in sorted(workspace.models.glob(f"{project.compiled_model}-*")):
        if _fingerprint(directory) == served.fingerprint:
            return _reference_in(directory, directory.name)
    registry = open_registry(registry_settings)
    version = registry.find(project.compiled_model, served.fingerprint)
    if version is None:
        raise UsageError(
            f"No version of {project.compiled_model} in {workspace.models} or in the registry has the "
            f"fingerprint {served.fingerprint[:12]} that the predictions name; {_ANOTHER}."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / version.reference
        registry.fetch(version.reference, folder)
        return _reference_in(folder, version.reference)


def _fingerprint(directory: Path) -> str | None:
    try:
        return ModelCard.read(directory).fingerprint if (directory / CARD_FILE).exists() else None
    except MeshError:
        # Another version may be damaged.
        return None


def _reference_in(directory: Path, name: str) -> tuple[Sample, str]:
    reference = Reference.find(directory)
    if reference is None:
        raise UsageError(
            f"{name} keeps no reference: it was not trained on data of the project's own, or before "
            f"versions kept one; {_ANOTHER}."
        )
    return reference.sample.sample(), f"{reference.rows} of {name}"


def _show(report: DriftReport, current: Predictions, *, as_json: bool) -> None:
    if as_json:
        click.echo(report.model_dump_json(indent=2))
        return
    when = (
        f", {report.first:%Y-%m-%d %H:%M} to {report.last:%Y-%m-%d %H:%M} UTC"
        if report.first and report.last
        else ""
    )
    click.echo(
        f"{report.drift.current:,} predictions of {report.project} {current.served} in "
        f"{report.source}{when}"
    )
    click.echo(f"compared with {report.drift.reference:,} of {report.reference}")
    table = make_table(*COLUMNS)
    for fact in report.drift.facts:
        table.add_row(*fact.row)
    print_table(table)
    if report.drift.missing:
        click.echo(f"only on one side, and not compared: {', '.join(report.drift.missing)}")
    click.echo(report.verdict)


def _write(file: Path | None, text: Callable[[DriftReport], str], report: DriftReport) -> None:
    if file:
        write_text_atomic(file, text(report))
        click.echo(f"{file} is written", err=True)
