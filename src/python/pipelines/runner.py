"""Builds pipeline.yaml and runs it on the chosen target."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.project import get_project, source_root
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from pipelines.containers import DATA, OUTPUTS, REGISTRY
from pipelines.outcome import announce, report
from pipelines.plan import Plan, make_plan
from pipelines.processes import run_process
from pipelines.settings import ImageSettings, KubeflowSettings, PipelineSettings, VertexSettings

logger = logging.getLogger(__name__)

Run = Callable[[Path], int]
"""Runs the pipeline in a file; returns its exit code."""

_PASSED = re.compile(r"(MESH_REGISTRY|AWS|NEPTUNE|DATA)_\w+|HF_(TOKEN|ENDPOINT)")
_OF_THIS_MACHINE = re.compile(r"\w+_(PROFILE|FILE|BUNDLE)")
_PROCESSES = "src/python/pipelines:run-steps"
_ADDRESSES = {DATA: "DATA_ROOT", REGISTRY: "MESH_REGISTRY_URI"}
"""The variables with the locations of the steps' shared results."""


def run_kfp(settings: PipelineSettings, images: ImageSettings, workspace: WorkspaceSettings) -> int:
    """Compile and run a pipeline; return its exit code.

    All checks come before the first write.
    """
    project = get_project(settings.project)
    plan = make_plan(project, settings, images)
    run = None if settings.compile_only else _prepare(plan, settings, images)
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


def _prepare(plan: Plan, settings: PipelineSettings, images: ImageSettings) -> Run:
    if settings.target == "local":
        return _prepare_local(plan, settings)
    if settings.target == "processes":
        return _prepare_processes(plan)
    _check_remote(plan, settings, images)
    if settings.target == "vertex":
        from pipelines.vertex import find_credentials, run_on_vertex

        (vertex,) = load_settings([VertexSettings])
        credentials = find_credentials()
        return lambda path: run_on_vertex(plan, path, vertex, credentials)
    from pipelines.kubeflow import read_token, run_on_kubeflow

    (kubeflow,) = load_settings([KubeflowSettings])
    token = read_token(kubeflow)
    return lambda path: run_on_kubeflow(plan, path, kubeflow, token)


def _check_remote(plan: Plan, settings: PipelineSettings, images: ImageSettings) -> None:
    if not images.registry:
        raise UsageError(
            f"IMAGE_REGISTRY is required: {settings.target} can't pull images from this machine."
        )
    given = settings.variables.keys() | settings.secrets.keys()
    used = frozenset[str]().union(*(step.uses for step in plan.steps))
    wanted = (name for store, name in _ADDRESSES.items() if store in used)
    if missing := [name for name in wanted if name not in given]:
        raise UsageError(
            f"{' and '.join(missing)} must be in PIPELINE_VARIABLES or PIPELINE_SECRETS: "
            f"the steps on {settings.target} share no folder with this machine."
        )
    sharing = [step.program for step in plan.steps if OUTPUTS in step.uses]
    if len(sharing) > 1 and not settings.volume and "MESH_WORKSPACE" not in settings.variables:
        raise UsageError(
            f"{', '.join(sharing)} exchange files: set PIPELINE_VOLUME (kubeflow), or "
            "MESH_WORKSPACE in PIPELINE_VARIABLES to a folder that all steps see, such as "
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
    repository = source_root().parents[1]
    pants = repository / "pants"
    if not pants.exists():
        raise UsageError(f"Steps run as processes only in a clone, and {repository} isn't one.")

    def run(path: Path) -> int:
        steps = path.with_name("plan.json").absolute()
        write_text_atomic(steps, plan.model_dump_json(indent=2))
        # The variables from Pants describe this process's packages. The Pants that started it is
        # still running.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PEX", "PYTHON"))
        } | {"PANTS_CONCURRENT": "true"}
        command = [str(pants), "run", _PROCESSES, "--", f"--plan={steps}"]
        return run_process(command, environment, repository)

    return run
