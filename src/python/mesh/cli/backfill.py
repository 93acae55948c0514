"""`mesh backfill`: the step `backfill:backfill`, in an environment of its own or as a RayJob."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from mesh.backfill.settings import BackfillSettings
from mesh.cli.paths import TypedPath, typed_path
from mesh.core.errors import UsageError
from mesh.core.names import KUBERNETES_NAME, Rule
from mesh.core.pants import PantsCommand, pants_run
from mesh.core.project import Project, get_project
from mesh.core.settings import load_settings
from mesh.core.steps import BACKFILL, find_program
from mesh.core.workspace import WorkspaceSettings
from mesh.deploy.rayjob import Cluster
from mesh.deploy.release import DOWNLOAD, Release, check_asked

_PATHS = ("--input", "--output", "--model-directory")
"""Flags whose values are paths or URLs; the first takes several."""
_MEMORY = Rule(re.compile(r"[1-9][0-9]*(Mi|Gi)"), "an amount of memory is such as 8Gi or 512Mi")
_OF_A_JOB = "With --emit: "


class _Checked(click.ParamType[str]):
    """A text that follows a rule."""

    name = "text"

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> str:
        if value and not self._rule.allows(value):
            self.fail(self._rule.words, parameter, context)
        return str(value)


def _epilog() -> str:
    """The flags of the step."""
    lines = ["FLAGS:"]
    for name, field in BackfillSettings.model_fields.items():
        lines.append(f"\b\n--{name.replace('_', '-')}\n  {field.description}")
    return "\n\n".join(lines)


def _job_option(
    name: str, *more: str, **settings: Any
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """An option that only a RayJob has."""
    settings["help"] = _OF_A_JOB + settings["help"]
    return click.option(name, *more, show_default=bool(settings.get("default")), **settings)


@click.command("backfill", context_settings={"ignore_unknown_options": True}, epilog=_epilog())
@click.argument("project")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--version",
    "reference",
    metavar="REFERENCE",
    help="The version of the model, such as SENTIMENT-COMPILED:prod, which is downloaded to "
    "models/; by default the one that is there, else as serve:download chooses.",
)
@click.option(
    "--emit",
    metavar="FILE",
    type=TypedPath(),
    help="Write a RayJob for KubeRay into this file, and run nothing.",
)
@_job_option("--name", help="the job's name; by default <project>-backfill.")
@_job_option(
    "--image-registry", envvar="IMAGE_REGISTRY", default="", help="the registry of the images."
)
@_job_option("--image-tag", envvar="IMAGE_TAG", default="latest", help="the tag of the images.")
@_job_option(
    "--min-pods", type=click.IntRange(0), default=1, help="pods that are there from the start."
)
@_job_option("--max-pods", type=click.IntRange(1), default=10, help="pods at most.")
@_job_option("--cpus", type=click.IntRange(1), default=4, help="cores of a pod, each with a model.")
@_job_option("--memory", type=_Checked(_MEMORY), default="8Gi", help="memory of a pod.")
@_job_option("--gpus", type=click.IntRange(0), default=0, help="GPUs of a pod.")
@_job_option(
    "--service-account",
    type=_Checked(KUBERNETES_NAME),
    default="",
    help="the service account of the pods.",
)
@_job_option(
    "--secret",
    "secrets",
    type=_Checked(KUBERNETES_NAME),
    multiple=True,
    help="a secret in the cluster, whose keys become variables; repeatable.",
)
@_job_option(
    "--grace-seconds",
    type=click.IntRange(0),
    default=300,
    help="for the shards in flight of a pod that is asked to end.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    project: str,
    flags: tuple[str, ...],
    reference: str | None,
    emit: Path | None,
    name: str | None,
    image_registry: str,
    image_tag: str,
    **cluster: Any,
) -> int:
    found = get_project(project)
    if reference is not None or emit is not None:
        check_asked(found, reference)
    if emit is None:
        _refuse_options_of_a_job(context)
        return _run(found, list(_located(flags)), reference)

    from mesh.cli.registries import open_own
    from mesh.deploy.rayjob import write_ray_job

    release = Release(
        project=found,
        name=f"{found.name}-backfill" if name is None else name,
        image_registry=image_registry,
        image_tag=image_tag,
        version=None if reference is None else open_own(reference).get(reference),
    )
    write_ray_job(emit, release, _cluster(**cluster), flags)
    click.echo(f"{emit} has the RayJob {release.name}; `kubectl create -f {emit}` starts it")
    return 0


def _refuse_options_of_a_job(context: click.Context) -> None:
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        is_given = source is click.core.ParameterSource.COMMANDLINE
        if is_given and (getattr(option, "help", None) or "").startswith(_OF_A_JOB):
            raise UsageError(f"{option.opts[0]} is for --emit, which writes a RayJob.")


def _run(project: Project, flags: Sequence[str], reference: str | None) -> int:
    """Bring the model if it is missing, and become the step.

    Returns:
        The exit code of the step that brings the model, if it failed.
    """
    command = pants_run(f"src/python/{project.package}/{BACKFILL}", flags)
    code = _bring_model(project, flags, reference)
    if code == 0:
        _start(project, command)
    return code


def _start(project: Project, command: PantsCommand) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(
        f"starting {project.name}'s {BACKFILL} in its own environment: a server's packages, Ray and "
        "pyarrow (installed once: about 750 MB)",
        highlight=False,
    )
    os.chdir(command.folder)
    os.execve(command.words[0], command.words, command.environment)  # noqa: S606


def _bring_model(project: Project, flags: Sequence[str], reference: str | None) -> int:
    """Download the version, or any if none is here; return the exit code."""
    if DOWNLOAD not in project.steps:
        return 0
    if reference is not None:
        return find_program(project, DOWNLOAD).main([f"--reference={reference}"])
    workspace: WorkspaceSettings
    (workspace,) = load_settings([WorkspaceSettings])
    given = any(flag.partition("=")[0] == "--model-directory" for flag in flags)
    if given or workspace.find_model(project):
        return 0
    return find_program(project, DOWNLOAD).main([])


def _located(flags: Sequence[str]) -> Iterator[str]:
    """Flags with paths as the user means them: the step runs in the repository's folder."""
    takes = ""
    for flag in flags:
        if not flag.startswith("-"):
            yield _paths(flag) if takes in _PATHS else flag
            continue
        takes, equals, value = flag.partition("=")
        yield f"{takes}={_paths(value)}" if equals and takes in _PATHS else flag


def _paths(value: str) -> str:
    return ",".join(
        part if "://" in part or not part else str(typed_path(part)) for part in value.split(",")
    )


def _cluster(
    *, min_pods: int, max_pods: int, cpus: int, memory: str, gpus: int, **others: Any
) -> Cluster:
    if max_pods < min_pods:
        raise UsageError(f"--max-pods {max_pods} is less than --min-pods {min_pods}.")
    return Cluster(least=min_pods, most=max_pods, cpus=cpus, memory=memory, gpus=gpus, **others)
