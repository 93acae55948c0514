"""Builds pipeline.yaml and runs it where it was asked for."""

import logging
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from mesh.core.discovery import get_project
from mesh.core.discovery import source_root
from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.workspace import WorkspaceSettings
from pipelines.outcome import announce
from pipelines.outcome import report
from pipelines.plan import Plan
from pipelines.plan import make_plan
from pipelines.settings import ImageSettings
from pipelines.settings import PipelineSettings

logger = logging.getLogger(__name__)

_PASSED = re.compile(r"(MESH_REGISTRY|AWS|NEPTUNE|DATA)_\w+|HF_(TOKEN|ENDPOINT)")
_OF_THIS_MACHINE = re.compile(r"\w+_(PROFILE|FILE|BUNDLE)")
_PROCESSES = "src/python/pipelines:run-steps"


def run_kfp(
    settings: PipelineSettings, images: ImageSettings, workspace: WorkspaceSettings
) -> int:
    """Compile and run a pipeline; return its exit code."""
    project = get_project(settings.project)
    plan = make_plan(project, settings, images)
    path = settings.output or workspace.output(project, "pipeline") / "pipeline.yaml"
    target = settings.target
    if not settings.compile_only:
        target = _prepare(plan, settings, images)
    _write(plan, path)
    if settings.compile_only:
        return 0
    if target == "processes":
        return _run_processes(plan, path)
    if target == "local":
        return _run_containers(plan, path, passed_variables(os.environ, settings.secrets))
    return _submit(plan, path, target, settings)


def passed_variables(environment: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables that containers on this machine get: where data and models are, and the credentials."""
    return {
        name: value
        for name, value in environment.items()
        if value
        and (_PASSED.fullmatch(name) or name in secrets)
        and not _OF_THIS_MACHINE.fullmatch(name)
    }


def _prepare(plan: Plan, settings: PipelineSettings, images: ImageSettings) -> str:
    """Check what can be checked before anything is written; the target that is used."""
    from pipelines.docker_target import check_images
    from pipelines.docker_target import daemon_answers

    if settings.target == "local":
        if daemon_answers():
            check_images(plan)
            return "local"
        logger.warning("no Docker daemon answers, so the steps run as processes of this machine")
        return "processes"
    if settings.target == "processes":
        return "processes"
    from pipelines.remote import check_target

    check_target(settings, images)
    return settings.target


def _write(plan: Plan, path: Path) -> None:
    from pipelines.specification import write_specification

    write_specification(plan, path)
    logger.info("%s holds %d steps of %s", path, len(plan.steps), plan.name)


def _run_containers(plan: Plan, path: Path, variables: Mapping[str, str]) -> int:
    from pipelines.docker_target import run_in_containers

    console = Console(stderr=True)
    return report(plan, run_in_containers(plan, path, variables, announce(plan, console)), console)


def _run_processes(plan: Plan, path: Path) -> int:
    """The steps need the packages of the models, which kfp's environment can't have: Pants starts them with these."""
    steps = path.with_name("plan.json").absolute()
    write_text_atomic(steps, plan.model_dump_json(indent=2))
    repository = source_root().parents[1]
    if not (repository / "pants").exists():
        raise UsageError(
            f"{repository} is no clone of the repository, so there is nothing to run as processes."
        )
    # What Pants gave this process is about this process' packages.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PEX", "PYTHON"))
    }
    command = [str(repository / "pants"), "run", _PROCESSES, "--", f"--plan={steps}"]
    return subprocess.run(command, env=environment, cwd=repository, check=False).returncode


def _submit(plan: Plan, path: Path, target: str, settings: PipelineSettings) -> int:
    from pipelines.remote import run_on_kubeflow
    from pipelines.remote import run_on_vertex

    run = run_on_vertex if target == "vertex" else run_on_kubeflow
    return run(plan, path, settings)
