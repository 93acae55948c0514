"""The numbered containers of the life cycle, and the needs of their programs."""

from collections.abc import Iterable
from dataclasses import dataclass

from mesh.core.errors import UsageError
from mesh.core.project import Project
from mesh.core.steps import BACKFILL


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The requests and limits of a step, in Kubernetes' units."""

    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str


DATA = "versions of data"
REGISTRY = "registered versions"
OUTPUTS = "outputs"
"""With the versions that were downloaded to serve."""

LIGHT = Resources(cpu_request="500m", cpu_limit="2", memory_request="1Gi", memory_limit="4Gi")
HEAVY = Resources(cpu_request="2", cpu_limit="4", memory_request="4Gi", memory_limit="16Gi")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One program of a component, run in the component's image.

    Args:
        program: as `component:program`.
        reads: results of other steps that it reads.
        writes: results that other steps read.
        image: the component whose image carries it; its own by default.
        requires: the step that a project must declare for it; the program itself by default.
        optional: whether it is left out for a project that doesn't declare it.
        retries: how often a failed run is repeated; for steps that may fail for external reasons,
            or that can resume.
        takes_gpu: whether it gets the GPUs that the pipeline requests.
        tag_flag: the flag that takes the tag of the data.
        tag_needed: whether it can't run without one.
    """

    program: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    resources: Resources = LIGHT
    image: str = ""
    requires: str = ""
    optional: bool = False
    retries: int = 0
    takes_gpu: bool = False
    tag_flag: str = ""
    tag_needed: bool = False

    @property
    def component(self) -> str:
        """The component whose image holds the program."""
        return self.image or self.program.partition(":")[0]

    @property
    def uses(self) -> frozenset[str]:
        """Everything that it reads or writes."""
        return frozenset((*self.reads, *self.writes))

    @property
    def name(self) -> str:
        """The program's name in the image."""
        return self.program if self.image else self.program.partition(":")[2]


CONTAINERS: dict[int, tuple[Step, ...]] = {
    1: (Step(program="ingest:ingest", reads=(), writes=(DATA,), retries=2),),
    2: (Step(program="register:register", reads=(DATA,), writes=(DATA,)),),
    3: (
        Step(
            program="register:tag",
            reads=(DATA,),
            writes=(DATA,),
            requires="register:register",
            tag_flag="--tag",
            tag_needed=True,
        ),
    ),
    4: (
        Step(
            program="train:train",
            reads=(DATA, REGISTRY),
            writes=(REGISTRY,),
            resources=HEAVY,
            retries=1,
            takes_gpu=True,
            tag_flag="--data",
        ),
    ),
    5: (
        Step(program="compile:download", reads=(REGISTRY,), writes=(OUTPUTS,)),
        Step(program="compile:trace", reads=(OUTPUTS,), writes=(OUTPUTS,), resources=HEAVY),
    ),
    6: (Step(program="compile:validate", reads=(OUTPUTS,), writes=(OUTPUTS,), resources=HEAVY),),
    7: (Step(program="compile:upload", reads=(OUTPUTS,), writes=(REGISTRY,)),),
    8: (
        Step(
            program="serve:download",
            reads=(REGISTRY, OUTPUTS),
            writes=(OUTPUTS,),
            image="compile",
            optional=True,
        ),
        Step(
            program=BACKFILL,
            reads=(OUTPUTS,),
            writes=(),
            resources=HEAVY,
            requires="serve:serve",
            # It goes on where it ended.
            retries=3,
        ),
    ),
}
"""The containers by their numbers for `--run-containers`, in the order of the life cycle."""


def choose(project: Project, numbers: Iterable[int]) -> list[Step]:
    """The steps of numbered containers in the order of the life cycle, each once.

    Raises:
        UsageError: there is no such container, or the project has no such step.
    """
    chosen = set(numbers)
    known = ", ".join(f"{number} {_programs(number)}" for number in CONTAINERS)
    if not chosen:
        raise UsageError(f"No container is chosen; give -r once for each of: {known}.")
    if unknown := sorted(chosen - CONTAINERS.keys()):
        raise UsageError(f"There is no container {unknown[0]}; there are: {known}.")
    steps = [
        step
        for number in sorted(chosen)
        for step in CONTAINERS[number]
        if not step.optional or step.program in project.steps
    ]
    for step in steps:
        if (step.requires or step.program) not in project.steps:
            raise UsageError(
                f"{project.name} has no {step.program}; its steps are {', '.join(project.steps)}."
            )
    return steps


def _programs(number: int) -> str:
    return " and ".join(step.program for step in CONTAINERS[number])
