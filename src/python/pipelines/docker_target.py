"""Runs pipeline.yaml in containers on this machine, by kfp's own runner."""

import contextlib
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.types
from kfp import components, local
from kfp.local import docker_task_handler

from mesh.core.environment import IMAGE_VARIABLE
from mesh.core.errors import MeshError, UsageError
from pipelines.outcome import Outcome
from pipelines.plan import Plan, PlannedStep

FOLDERS = (".mesh", "models", "outputs")
"""The folders that the steps share, below the working directory."""

_USER = 10001
_STOP_SECONDS = 30
_GIGABYTE = 1 << 30
_SHARED_MEMORY = "1g"
_UNITS = {"Mi": 1 << 20, "Gi": _GIGABYTE}


def daemon_answers() -> bool:
    """Whether there is a Docker daemon."""
    try:
        docker.from_env().ping()
    except docker.errors.DockerException:
        return False
    return True


def check_images(plan: Plan) -> None:
    """Make sure that every image is here; images of a registry are pulled.

    Raises:
        UsageError: an image is missing.
    """
    client = docker.from_env()
    for image in dict.fromkeys(step.image for step in plan.steps):
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            _pull(client, image)


def _pull(client: docker.DockerClient, image: str) -> None:
    advice = "build it by build-support/docker/package, or set IMAGE_REGISTRY and IMAGE_TAG"
    if "/" not in image:
        raise UsageError(f"The image {image} is missing; {advice}.")
    try:
        client.images.pull(image)
    except docker.errors.APIError as error:
        raise UsageError(
            f"The image {image} can't be pulled ({error.explanation}); {advice}."
        ) from error


def run_in_containers(
    plan: Plan, specification: Path, secrets: Mapping[str, str], started: Callable[[str], None]
) -> list[Outcome]:
    """Run the compiled pipeline up to the first failing step.

    Args:
        specification: pipeline.yaml.
        secrets: variables of this machine that the steps get in addition to those in the file.
        started: called with the name of each step.

    Raises:
        MeshError: Docker can't run a step.
    """
    user = _share_folders()
    outcomes: list[Outcome] = []
    runner = local.DockerRunner(
        environment=dict(secrets),
        user=user,
        mounts=[
            docker.types.Mount(f"/workspace/{name}", str(Path(name).resolve()), type="bind")
            for name in FOLDERS
        ],
        # As in Kubernetes, a command replaces the image's own entry point.
        entrypoint=[""],
        read_only=True,
        tmpfs={"/tmp": ""},  # noqa: S108
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
    )
    with (
        tempfile.TemporaryDirectory() as root,
        _containers_of(plan, outcomes, started),
        warnings.catch_warnings(),
    ):
        # It warns that limits have no effect; `_limits` sets them.
        warnings.filterwarnings("ignore", ".*have no effect.*", UserWarning)
        local.init(
            runner,
            pipeline_root=root,
            workspace_root=f"{root}/workspace",
            raise_on_error=False,
        )
        pipeline = components.load_component_from_file(str(specification))
        try:
            pipeline()
        except docker.errors.DockerException as error:
            raise MeshError(f"Docker can't run {plan.name}: {error}.") from error
    return outcomes


def _share_folders() -> str:
    """Create the shared folders, give them to the containers' user, and return that user.

    It is the caller, unless the caller is root.
    """
    for name in FOLDERS:
        Path(name).mkdir(exist_ok=True)
    if os.getuid():
        return f"{os.getuid()}:{os.getgid()}"
    for name in FOLDERS:
        for path in (Path(name), *Path(name).rglob("*")):
            shutil.chown(path, _USER, _USER)
    return f"{_USER}:{_USER}"


@contextlib.contextmanager
def _containers_of(
    plan: Plan, outcomes: list[Outcome], started: Callable[[str], None]
) -> Iterator[None]:
    """Make kfp start containers by `_run_container`.

    kfp 2.17 lets Docker remove a container when it ends. A container that is removed before kfp
    reads its exit code counts as a success. If kfp is interrupted, the container keeps running.
    """
    steps = {(*step.command, *step.arguments): step for step in plan.steps}

    def run_docker_container(
        client: docker.DockerClient,
        image: str,
        command: Sequence[str],
        volumes: Any,
        **options: Any,
    ) -> int:
        step = steps[tuple(command)]
        options["environment"][IMAGE_VARIABLE] = f"{image}@{client.images.get(image).id}"
        started(step.name)
        begun = time.monotonic()
        options |= {"image": image, "command": command, "volumes": volumes, **_limits(step)}
        exit_code = _run_container(client, options)
        outcomes.append(Outcome(step.name, exit_code, time.monotonic() - begun))
        return exit_code

    original = docker_task_handler.run_docker_container
    docker_task_handler.run_docker_container = run_docker_container
    try:
        yield
    finally:
        docker_task_handler.run_docker_container = original


def _run_container(client: docker.DockerClient, options: Mapping[str, Any]) -> int:
    container = client.containers.run(detach=True, **options)
    try:
        for line in container.logs(stream=True):
            print(line.decode(errors="replace"), end="", flush=True)
        return int(container.wait()["StatusCode"])
    except BaseException:
        container.stop(timeout=_STOP_SECONDS)
        raise
    finally:
        container.remove(force=True)


def _limits(step: PlannedStep) -> dict[str, Any]:
    """The step's limits, or this machine's CPUs if it has fewer; kfp's runner ignores them."""
    number, unit = step.resources.memory_limit[:-2], step.resources.memory_limit[-2:]
    limits: dict[str, Any] = {"mem_limit": int(number) * _UNITS[unit]}
    if step.gpus:
        limits["device_requests"] = [
            docker.types.DeviceRequest(count=step.gpus, capabilities=[["gpu"]])
        ]
    if step.gpus > 1:
        # The processes exchange gradients there, and 64 MB are the default.
        limits["shm_size"] = _SHARED_MEMORY
    cpus = min(float(step.resources.cpu_limit), os.cpu_count() or 1)
    return limits | {"nano_cpus": int(cpus * 1e9)}
