"""The images of projects, and compose with a new workspace."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import few_rows
from mesh.core.project import find_projects, get_project

IMAGES: dict[str, str] = json.loads(os.environ.get("MESH_TEST_IMAGES") or "{}")
"""The images as `build-support/docker/built` prints them: from name with tag to id."""

COMPOSE = "build-support/docker/compose"
# Beside the test in Pants' sandbox, in dist/ after `./pants package
# build-support/docker:tests-pex`.
TESTS_PEX = next(
    (
        path
        for path in map(Path, ("docker/run_tests.pex", "dist/docker/run_tests.pex"))
        if path.exists()
    ),
    Path("dist"),
)
SERVICES = {
    "compile:download": "download-model",
    "compile:trace": "compile-model",
    "compile:validate": "validate-model",
    "compile:upload": "upload-model",
    "serve:download": "serve-download-model",
}
"""The services of steps whose name isn't their component's."""
# A model as quickly as possible.
_QUICK = {"TRAIN_EPOCHS": "1", "COMPILE_VOCABULARY_WORDS": "200"}
PATIENCE = 1800
USER = 10001


def title(name: str) -> str:
    """The name of an image without registry and tag."""
    return name.rpartition("/")[2].partition(":")[0]


def components() -> dict[str, list[str]]:
    """The components that have an image, by project."""
    projects = {project.name for project in find_projects()}
    found: dict[str, list[str]] = {}
    for project, _, component in sorted(title(name).rpartition("-") for name in IMAGES):
        # The registry's image belongs to no project.
        if project in projects:
            found.setdefault(project, []).append(component)
    return found


def needs_images(*projects: str) -> pytest.MarkDecorator:
    """Skips tests without images, or without those of a project."""
    missing = " and ".join(name for name in projects if name not in components())
    return pytest.mark.skipif(
        not IMAGES or bool(missing),
        reason=f"no images{missing and f' of {missing}'} are given; build-support/docker/test"
        " builds and tests them if a Docker daemon responds",
    )


def each_of(projects: Iterable[str]) -> list[Any]:
    """Projects as parameters of a test; those without images are skipped."""
    return [pytest.param(name, marks=needs_images(name)) for name in projects]


def image(project: str, component: str) -> str:
    """The name of a component's image, with registry and tag."""
    [found] = [name for name in IMAGES if title(name) == f"{project}-{component}"]
    return found


def docker(*arguments: str, **options: Any) -> str:
    """The output of a docker command that must succeed."""
    command = ["docker", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)
    assert result.returncode == 0, result.stderr
    output: str = result.stdout
    return output


def inspect(name: str) -> Any:
    """Docker's description of a container or an image."""
    return json.loads(docker("inspect", name))[0]


def wait_until(condition: Callable[[], object], container: str) -> None:
    """Wait for a condition while a container runs; on failure, show its log."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert inspect(container)["State"]["Running"], docker("logs", container)
        assert time.monotonic() < deadline, docker("logs", container)
        time.sleep(0.1)


class Compose:
    """A project's containers with one workspace; a call runs the command."""

    def __init__(self, project: str, workspace: Path) -> None:
        self.project = get_project(project)
        self.workspace = workspace
        self.name = f"mesh-test-{os.getpid()}-{workspace.name}"
        serve = image(project, "serve")
        inherited = ("PATH", "HOME", "DOCKER_HOST")
        self.environment = {
            **{key: os.environ[key] for key in inherited if key in os.environ},
            "PROJECT": project,
            "IMAGE_TAG": serve.rpartition(":")[2],
            "IMAGE_REGISTRY": serve.rpartition("/")[0],
            "WORKSPACE": str(workspace),
            "COMPOSE_PROJECT_NAME": self.name,
            "TESTS": str(Path("tests/python").absolute()),
            "TESTS_PEX": str(TESTS_PEX.absolute()),
            # Any free port.
            "PORT": "0",
        }

    def __call__(self, *arguments: str, **environment: str) -> tuple[int, str]:
        result = subprocess.run(
            [COMPOSE, *arguments],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        return result.returncode, result.stdout

    def step(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a service with arguments, in a container that is removed."""
        return self("run", "--rm", "-T", *arguments, **environment)

    def make(self, service: str) -> tuple[int, str]:
        """Run the service of a step that makes a model, on a few rows if it trains."""
        data = self.workspace / ".mesh"
        data.mkdir(exist_ok=True)
        settings = _QUICK
        if rows := few_rows.write_rows(self.project.name, data):
            source = f"/workspace/.mesh/{rows.name}"
            settings = settings | few_rows.SETTINGS | {"INGEST_SOURCE": source}
        options = (word for name in settings for word in ("-e", f"{name}={settings[name]}"))
        return self.step(*options, service)

    def live(self) -> dict[str, str]:
        """Run every step before serving; return the output of each service."""
        outputs = {}
        for step in self.project.steps:
            service = SERVICES.get(step, step.partition(":")[0])
            if service != "serve":
                exit_code, outputs[service] = self.make(service)
                assert exit_code == 0, outputs[service]
        return outputs

    def start_server(self) -> str:
        """Start the server and wait until it is healthy; return its container."""
        exit_code, output = self("up", "--detach", "serve")
        assert exit_code == 0, output
        label = f"label=com.docker.compose.project={self.name}"
        [container] = docker("ps", "--quiet", "--filter", label).split()
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", container)
        return container

    def ask(self, script: str, *arguments: str, **options: Any) -> str:
        """The output of a Python script in a second container on the server's network."""
        client = ["run", "--rm", "--interactive", "--network", f"{self.name}_default"]
        python = ["--entrypoint", "python", image(self.project.name, "serve"), "-c", script]
        return docker(*client, *python, *arguments, **options)


@contextlib.contextmanager
def compose_project(project: str, workspace: Path) -> Iterator[Compose]:
    """Compose for a project; containers and networks are removed at the end."""
    compose = Compose(project, workspace)
    try:
        yield compose
    finally:
        exit_code, output = compose("down", "--volumes", "--timeout", "0")
        assert exit_code == 0, output


@dataclass(frozen=True)
class Life:
    """A project whose steps before serving have run, their output, and its server."""

    compose: Compose
    outputs: dict[str, str]
    server: str


_LIVES = pytest.StashKey[dict[str, Life]]()


def life_of(project: str, request: pytest.FixtureRequest) -> Life:
    """The life of a project, once per process; removed at its end."""
    lives = request.config.stash.setdefault(_LIVES, {})
    if project not in lives:
        workspace = request.getfixturevalue("tmp_path_factory").mktemp("life")
        stack = contextlib.ExitStack()
        request.config.add_cleanup(stack.close)
        compose = stack.enter_context(compose_project(project, workspace))
        lives[project] = Life(compose, compose.live(), compose.start_server())
    return lives[project]
