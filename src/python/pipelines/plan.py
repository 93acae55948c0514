"""The plan of a pipeline: each step with its image, command, environment and limits."""

import json

from pydantic import BaseModel, ConfigDict

from mesh.core.devices import CUDA
from mesh.core.environment import IMAGE_VARIABLE
from mesh.core.errors import UsageError
from mesh.core.names import KUBERNETES_RESOURCE
from mesh.core.project import DATA_STEPS, Project
from mesh.core.secrets import SECRETS_VARIABLE
from pipelines import rules
from pipelines.containers import Resources, Step, choose
from pipelines.settings import ImageSettings, PipelineSettings, is_managed

_START = ("-m", "mesh.core.start")
ENTRY_POINT = ("tini-static", "--", "python", *_START)
"""The entry point of the components' images.

Kubeflow needs the whole command, since it doesn't know the image's own.
"""
OUTPUTS = "/workspace/outputs"
"""The images' folder for files that one step leaves for the next; where a volume is mounted, their
workspace."""
WORKSPACE = "MESH_WORKSPACE"
"""The variable of `WorkspaceSettings.workspace`."""
REMOTE = ("kubeflow", "vertex")
"""The targets that run pipelines elsewhere."""


class PlannedStep(BaseModel):
    """One step of a pipeline.

    Args:
        name: unique in the pipeline, such as `compile-trace`.
        component: the package of the program's component, such as `keywords.compile`.
        arguments: the program and its flags.
        environment: names and values of variables; never of a secret.
        kubernetes_secrets: names of variables, with `<secret>/<key>`.
        uses: the results that it shares with other steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    program: str
    image: str
    component: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    kubernetes_secrets: dict[str, str]
    resources: Resources
    retries: int
    gpus: int
    uses: frozenset[str]

    @property
    def command(self) -> tuple[str, ...]:
        """The command in the container, before the arguments."""
        return (*ENTRY_POINT[: -len(_START)], *self.python_arguments)

    @property
    def python_arguments(self) -> tuple[str, ...]:
        """What Python is told before the arguments: a process for each of several GPUs."""
        launcher: tuple[str, ...] = ()
        if self.gpus > 1:
            launcher = (
                *("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"),
                f"--nproc-per-node={self.gpus}",
            )
        return (*launcher, *_START, self.component)


class Plan(BaseModel):
    """A pipeline: steps that run one after another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    target: str
    steps: tuple[PlannedStep, ...]
    caching: bool
    accelerator: str
    volume: str

    @property
    def name(self) -> str:
        """The pipeline's name: `sentiment-ingest-to-train`."""
        first, last = (self.steps[index].program.partition(":")[2] for index in (0, -1))
        return f"{self.project}-{first}" + ("" if first == last else f"-to-{last}")


def make_plan(project: Project, settings: PipelineSettings, images: ImageSettings) -> Plan:
    """Choose the steps and plan how each is started.

    Raises:
        UsageError: a container is unknown, a tag is missing or useless, or the target doesn't
            support a setting.
    """
    chosen = choose(project, settings.run_containers)
    _check_tag(project, chosen, settings)
    _check_target(settings)
    return Plan(
        project=project.name,
        target=settings.target,
        steps=tuple(_planned(project, step, settings, images) for step in chosen),
        caching=settings.caching,
        accelerator=_accelerator(settings),
        volume=settings.volume,
    )


def _check_tag(project: Project, steps: list[Step], settings: PipelineSettings) -> None:
    needing = [step.program for step in steps if step.tag_needed]
    if needing and settings.tag is None:
        raise UsageError(
            f"{needing[0]} needs the tag that it is to set; add one, such as -t dataset_v1."
        )
    if settings.tag is not None and DATA_STEPS[-1] not in project.steps:
        raise UsageError(
            f"{project.name} has no versions of data to tag; remove -t {settings.tag}."
        )
    if settings.tag is not None and not any(step.tag_flag for step in steps):
        raise UsageError(
            f"Only containers 3 and 4 take a tag; choose one of them, or remove -t {settings.tag}."
        )


def _check_target(settings: PipelineSettings) -> None:
    kubernetes = [name for name, kept in settings.secrets.items() if not is_managed(kept)]
    if kubernetes and settings.target != "kubeflow":
        raise UsageError(
            f"PIPELINE_SECRETS: {kubernetes[0]} is kept in Kubernetes, which only the target "
            "kubeflow has."
        )
    if settings.volume and settings.target != "kubeflow":
        raise UsageError(f"PIPELINE_VOLUME={settings.volume} is only for the target kubeflow.")
    if settings.target in REMOTE:
        for name, value in settings.variables.items():
            try:
                rules.as_expanded(value)
            except ValueError as error:
                raise UsageError(
                    f"PIPELINE_VARIABLES: {settings.target} can't be given the value of {name}: "
                    f"{error}."
                ) from error


def _accelerator(settings: PipelineSettings) -> str:
    """The kind of GPU, as the target names it; containers here take any."""
    if settings.target == "vertex":
        own, default = rules.VERTEX_ACCELERATOR, "NVIDIA_TESLA_T4"
    else:
        own, default = KUBERNETES_RESOURCE, "nvidia.com/gpu"
    accelerator = settings.accelerator or default
    if settings.gpus and settings.target in REMOTE and not own.allows(accelerator):
        raise UsageError(
            f"PIPELINE_ACCELERATOR={accelerator} is not for the target {settings.target}, which "
            f"takes {own.words}."
        )
    return accelerator


def _planned(
    project: Project, step: Step, settings: PipelineSettings, images: ImageSettings
) -> PlannedStep:
    managed = {name: kept for name, kept in settings.secrets.items() if is_managed(kept)}
    secrets = {SECRETS_VARIABLE: json.dumps(managed, sort_keys=True)} if managed else {}
    flags = [step.tag_flag, settings.tag] if step.tag_flag and settings.tag else []
    image = images.name_of(project, step.component)
    component, _, name = step.program.partition(":")
    gpus = settings.gpus if step.takes_gpu else 0
    return PlannedStep(
        name=component if component == name else f"{component}-{name}",
        program=step.program,
        image=image,
        component=f"{project.package}.{step.component}",
        arguments=(step.name, *flags),
        environment={
            "MESH_ENV_FILE": f"config/{settings.environment}.env",
            IMAGE_VARIABLE: image,
            # models/ too must be on the volume.
            **({WORKSPACE: OUTPUTS} if settings.volume else {}),
            # GPUs that nothing computes on are paid for, too.
            **({"TRAIN_DEVICE": CUDA} if gpus else {}),
            **settings.variables,
            **secrets,
        },
        kubernetes_secrets={
            name: kept.removeprefix("kubernetes://")
            for name, kept in settings.secrets.items()
            if name not in managed
        },
        resources=step.resources,
        retries=step.retries,
        gpus=gpus,
        uses=step.uses,
    )
