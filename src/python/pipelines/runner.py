"""Builds pipeline.yaml and runs it on the chosen target."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.names import Rule
from mesh.core.pants import pants_run
from mesh.core.project import get_project
from mesh.core.settings import load_settings
from mesh.core.steps import BACKFILL
from mesh.core.workspace import WorkspaceSettings
from pipelines.containers import DATA, OUTPUTS, REGISTRY
from pipelines.outcome import announce, report
from pipelines.plan import WORKSPACE, Plan, make_plan
from pipelines.processes import run_process
from pipelines.rules import KUBEFLOW_RUN, VERTEX_JOB
from pipelines.settings import (
    ImageSettings,
    KubeflowSettings,
    PipelineSettings,
    VertexSettings,
    require,
)

logger = logging.getLogger(__name__)

Target = VertexSettings | KubeflowSettings | None
"""A target's own settings; those on this machine have none."""

Run = Callable[[Path], int]
"""Runs the pipeline in a file; returns its exit code."""

_PASSED = re.compile(r"(MESH_REGISTRY|AWS|NEPTUNE|DATA|BACKFILL)_\w+|HF_(TOKEN|ENDPOINT)")
_OF_THIS_MACHINE = re.compile(r"\w+_(PROFILE|FILE|BUNDLE)")
_PROCESSES = "src/python/pipelines:run-steps"
_ADDRESSES = {DATA: "DATA_ROOT", REGISTRY: "MESH_REGISTRY_URI"}
"""The variables with the locations of the steps' shared results."""
_OF_A_BACKFILL = ("BACKFILL_INPUT", "BACKFILL_OUTPUT")


def run_kfp(settings: PipelineSettings, images: ImageSettings, workspace: WorkspaceSettings) -> int:
    """Compile and run a pipeline, or watch a run; return its exit code.

    All checks come before the first write.
    """
    target = _load_target(settings)
    if settings.watch:
        return _watch(settings, target)
    project = get_project(settings.project)
    plan = make_plan(project, settings, images)
    run = None if settings.compile_only else _prepare(plan, settings, images, target)
    path = settings.output or workspace.output(project, "pipeline") / "pipeline.yaml"

    from pipelines.specification import write_specification

    write_specification(plan, path)
    logger.info("%s holds the %d steps of %s", path, len(plan.steps), plan.name)
    return run(path) if run else 0


def passed_variables(environment: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables for containers on this machine: stores and credentials."""
    return {
        name: value
        for name, value in environment.items()
        if value
        and (_PASSED.fullmatch(name) or name in secrets)
        and not _OF_THIS_MACHINE.fullmatch(name)
    }


def _load_target(settings: PipelineSettings) -> Target:
    """The target's own settings; what is given of them is right."""
    target: Target = None
    if settings.target == "vertex":
        (target,) = load_settings([VertexSettings])
    elif settings.target == "kubeflow":
        (target,) = load_settings([KubeflowSettings])
    return target


def _watch(settings: PipelineSettings, target: Target) -> int:
    if settings.run_containers or settings.compile_only:
        raise UsageError(
            "--watch shows a run that was started before; remove -r and --compile-only."
        )
    run = settings.watch
    if isinstance(target, VertexSettings):
        _check_run(VERTEX_JOB, run)

        from pipelines.vertex import find_credentials, watch_on_vertex

        return watch_on_vertex(run, target, find_credentials())
    if isinstance(target, KubeflowSettings):
        _check_run(KUBEFLOW_RUN, run)
        require(target, "endpoint")

        from pipelines.kubeflow import read_token, watch_on_kubeflow

        return watch_on_kubeflow(run, target, read_token(target))
    raise UsageError("--watch needs the target of the run: --target kubeflow or --target vertex.")


def _check_run(rule: Rule, run: str) -> None:
    if not rule.allows(run):
        raise UsageError(f"PIPELINE_WATCH={run} must be {rule.words}.")


def _prepare(plan: Plan, settings: PipelineSettings, images: ImageSettings, target: Target) -> Run:
    if settings.target == "local":
        return _prepare_local(plan, settings)
    if target is None:
        return _prepare_processes(plan)
    _check_remote(plan, settings, images)
    if isinstance(target, VertexSettings):
        require(target, "project", "location", "pipeline_root", "service_account")

        from pipelines.vertex import check_location, find_credentials, run_on_vertex

        check_location(target.location)
        credentials = find_credentials()
        return lambda path: run_on_vertex(plan, path, target, credentials)
    require(target, "endpoint")

    from pipelines.kubeflow import read_token, run_on_kubeflow

    token = read_token(target)
    return lambda path: run_on_kubeflow(plan, path, target, token)


def _check_remote(plan: Plan, settings: PipelineSettings, images: ImageSettings) -> None:
    if not images.registry:
        raise UsageError(
            f"IMAGE_REGISTRY is required: {settings.target} can't pull images from this machine."
        )
    given = settings.variables.keys() | settings.secrets.keys()
    used = frozenset[str]().union(*(step.uses for step in plan.steps))
    wanted = [name for store, name in _ADDRESSES.items() if store in used]
    if any(step.program == BACKFILL for step in plan.steps):
        wanted += _OF_A_BACKFILL
    if missing := [name for name in wanted if name not in given]:
        raise UsageError(
            f"{' and '.join(missing)} must be in PIPELINE_VARIABLES or PIPELINE_SECRETS: "
            f"the steps on {settings.target} share no folder with this machine."
        )
    sharing = [step.program for step in plan.steps if OUTPUTS in step.uses]
    if len(sharing) > 1 and not settings.volume and WORKSPACE not in settings.variables:
        raise UsageError(
            f"{', '.join(sharing)} exchange files: set PIPELINE_VOLUME (kubeflow), or "
            f"{WORKSPACE} in PIPELINE_VARIABLES to a folder that all steps see, such as "
            "/gcs/<bucket>/<folder> (vertex)."
        )


def _prepare_local(plan: Plan, settings: PipelineSettings) -> Run:
    from pipelines.docker_target import check_images, daemon_answers, run_in_containers

    if not daemon_answers():
        logger.warning("no Docker daemon responds, so the steps run as processes on this machine")
        return _prepare_processes(plan)
    check_images(plan)
    variables = passed_variables(os.environ, settings.secrets)
    console = Console(stderr=True)

    def run(path: Path) -> int:
        outcomes = run_in_containers(plan, path, variables, announce(plan, console))
        return report(plan, outcomes, console)

    return run


def _prepare_processes(plan: Plan) -> Run:
    """Prepare a run as processes, which Pants starts.

    The steps need the packages of the models, which can't be installed beside kfp.
    """
    command = pants_run(_PROCESSES, [])
    # The Pants that started this process is still running.
    environment = command.environment | {"PANTS_CONCURRENT": "true"}

    def run(path: Path) -> int:
        steps = path.with_name("plan.json").absolute()
        write_text_atomic(steps, plan.model_dump_json(indent=2))
        return run_process([*command.words, f"--plan={steps}"], environment, command.folder)

    return run
