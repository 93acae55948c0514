"""pipeline.yaml: a plan as Kubeflow's pipeline specification."""

import tempfile
from pathlib import Path
from typing import Any

import kfp.kubernetes
from kfp import compiler, dsl

from mesh.core.files import write_text_atomic
from pipelines.plan import OUTPUTS, REMOTE, Plan, PlannedStep
from pipelines.rules import as_expanded

_BACKOFF = "10s"
_SHARED_MEMORY = "1Gi"


def write_specification(plan: Plan, path: Path) -> None:
    """Compile a plan; the file is complete or absent."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(_pipeline(plan), str(compiled))
        write_text_atomic(path, compiled.read_text(encoding="utf-8"))


def _pipeline(plan: Plan) -> Any:
    @dsl.pipeline(name=plan.name)  # type: ignore[untyped-decorator]
    def pipeline() -> None:
        before = None
        for step in plan.steps:
            task = _component(step)()
            _configure(task, step, plan)
            if before is not None:
                task.after(before)
            before = task

    return pipeline


def _component(step: PlannedStep) -> Any:
    def component() -> dsl.ContainerSpec:
        return dsl.ContainerSpec(
            image=step.image, command=list(step.command), args=list(step.arguments)
        )

    component.__name__ = step.name
    return dsl.container_component(component)


def _configure(task: Any, step: PlannedStep, plan: Plan) -> None:
    task.set_display_name(step.program)
    task.set_caching_options(plan.caching)
    task.set_cpu_request(step.resources.cpu_request).set_cpu_limit(step.resources.cpu_limit)
    task.set_memory_request(step.resources.memory_request)
    task.set_memory_limit(step.resources.memory_limit)
    if step.retries:
        task.set_retry(step.retries, backoff_duration=_BACKOFF)
    if step.gpus:
        task.set_accelerator_type(plan.accelerator).set_accelerator_limit(step.gpus)
    if step.gpus > 1 and plan.target == "kubeflow":
        # The processes exchange gradients there, and 64 MiB are the default.
        kfp.kubernetes.empty_dir_mount(
            task, "shared-memory", "/dev/shm", "Memory", _SHARED_MEMORY  # noqa: S108
        )
    for name, value in step.environment.items():
        task.set_env_variable(name, as_expanded(value) if plan.target in REMOTE else value)
    for variable, reference in step.kubernetes_secrets.items():
        secret, key = reference.split("/")
        kfp.kubernetes.use_secret_as_env(task, secret, {key: variable})
    if plan.volume:
        kfp.kubernetes.mount_pvc(task, plan.volume, OUTPUTS)
