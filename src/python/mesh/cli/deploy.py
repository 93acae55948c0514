"""`mesh deploy`: Kubernetes manifests of a project's server."""

from pathlib import Path

import click

from mesh.cli.paths import TypedPath
from mesh.cli.registries import open_own
from mesh.core.project import get_project
from mesh.deploy.emit import files_of, write
from mesh.deploy.release import Release, check_asked, with_version
from mesh.deploy.traces import DEFAULT_SHARE, TraceSettings


@click.command("deploy")
@click.argument("project")
@click.option(
    "--version",
    "reference",
    metavar="REFERENCE",
    help="The version of the model, such as KEYWORDS-COMPILED:prod; its number gets into the manifests.",
)
@click.option(
    "--emit", "folder", type=TypedPath(), required=True, help="The folder to write, or to replace."
)
@click.option("--name", help="The name in the cluster; by default the project's.")
@click.option(
    "--image-registry",
    envvar="IMAGE_REGISTRY",
    default="",
    help="The registry of the images; by default IMAGE_REGISTRY, or none.",
)
@click.option(
    "--image-tag",
    envvar="IMAGE_TAG",
    default="latest",
    show_default=True,
    help="The tag of the images; by default IMAGE_TAG.",
)
@click.option(
    "--traces-to",
    metavar="URL",
    help="The collector that gets the server's traces, such as http://collector.observability:4318; "
    "none by default.",
)
@click.option(
    "--traces-share",
    type=float,
    default=DEFAULT_SHARE,
    show_default=True,
    help="Of the requests whose callers don't decide about it, the share that is traced.",
)
def command(
    project: str,
    reference: str | None,
    folder: Path,
    name: str | None,
    image_registry: str,
    image_tag: str,
    traces_to: str | None,
    traces_share: float,
) -> None:
    found = get_project(project)
    release = Release(
        project=found,
        name=found.name if name is None else name,
        image_registry=image_registry,
        image_tag=image_tag,
        traces=None if traces_to is None else TraceSettings(traces_to, traces_share),
    )
    check_asked(found, reference)
    if reference is not None:
        release = with_version(release, open_own(reference), reference)
    files = files_of(release)
    write(folder, files)
    what = release.version.reference if release.version else f"the server of {found.name}"
    click.echo(f"{folder} has the manifests of {what}: {len(files)} files")
    for warning in release.warnings:
        click.echo(f"warning: {warning}", err=True)
