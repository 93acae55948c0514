"""The images of all components of all projects, as they would be pushed."""

import os
import subprocess
from pathlib import Path

import pytest

from containers.functional.compose_project import (
    IMAGES,
    USER,
    docker,
    each_of,
    image,
    inspect,
    needs_images,
    title,
)
from mesh.core.project import find_projects, get_project

pytestmark = needs_images()

MEGABYTE = 10**6
BASE = "localhost/mesh-python:3.11-bookworm"


@pytest.mark.parametrize("name", IMAGES)
def test_tested_image_is_the_one_that_was_built(name: str) -> None:
    assert inspect(name)["Id"] == IMAGES[name]


@pytest.mark.parametrize("name", IMAGES)
def test_image_describes_itself_and_runs_without_rights(name: str) -> None:
    config = inspect(name)["Config"]
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels["title"] == title(name)
    assert labels["version"] == name.rpartition(":")[2]
    assert f"MESH_CODE_REVISION={labels['revision']}" in config["Env"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"][0] == "tini-static"
    assert ("Healthcheck" in config) == title(name).endswith("-serve")


@pytest.mark.parametrize("name", IMAGES)
def test_image_stands_on_the_base_of_the_lock(name: str) -> None:
    described = inspect(name)
    if described["Config"]["Labels"]["org.mesh.base"].endswith("-unlocked"):
        pytest.skip("Debian has other packages now than docker/base.lock names")
    words = [line.split() for line in Path("docker/base.lock").read_text().splitlines()]
    [locked] = [line[2] for line in words if line[:2] == ["layer", BASE]]
    assert described["RootFS"]["Layers"][0] == locked


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_in_an_image_gives_rights_and_no_perl_is_left(name: str) -> None:
    script = """
for path in $(find / -xdev -type f -perm /6000); do echo $path; done
for program in perl apt-get su mount; do command -v $program; done
true
"""
    found = docker("run", "--rm", "--user=0", "--entrypoint", "sh", name, "-c", script)
    assert found == ""


def shipped(name: str) -> set[str]:
    """The distributions in an image."""
    script = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()), sep='\\n')"
    return set(docker("run", "--rm", "--entrypoint", "python", name, "-c", script).split())


@pytest.mark.parametrize("project", each_of(project.name for project in find_projects()))
def test_server_carries_only_packages_for_serving(project: str) -> None:
    name = image(project, "serve")
    assert {"hypercorn", "starlette", "pydantic"} <= shipped(name)
    unwanted = {"torch", "transformers", "mlflow-skinny", "scikit-learn", "locust", "pytest", "pip"}
    assert not shipped(name) & (unwanted | {"huggingface-hub", "huggingface_hub", "hf-xet"})
    assert inspect(name)["Size"] < 450 * MEGABYTE


@pytest.mark.parametrize("name", IMAGES)
def test_torch_is_where_networks_are_made_and_nowhere_else(name: str) -> None:
    assert ("torch" in shipped(name)) == title(name).endswith(("-train", "-compile"))


@pytest.mark.parametrize(
    "project",
    each_of(project.name for project in find_projects() if "compile:validate" in project.steps),
)
def test_compiling_carries_what_reads_rows_where_there_are_rows(project: str) -> None:
    packages = shipped(image(project, "compile"))
    declared = get_project(project)
    assert ("pyarrow" in packages) == ("register:register" in declared.steps)
    # A team may add the clients of its buckets.
    build = Path("src/python", declared.package, "compile/BUILD").read_text()
    clients = packages & {"dvc-gs", "s3fs"}
    assert clients == {name for name in clients if f"models#{name}" in build}


@pytest.mark.parametrize("name", IMAGES)
def test_ray_is_where_backfills_are_made_and_nowhere_else(name: str) -> None:
    assert ("ray" in shipped(name)) == title(name).endswith("-backfill")


@pytest.mark.parametrize("project", each_of(project.name for project in find_projects()))
def test_ray_starts_from_the_image_s_path(project: str) -> None:
    # KubeRay's commands begin like this.
    command = ["docker", "run", "--rm", "--read-only", "--tmpfs=/tmp", "--entrypoint", "/bin/bash"]
    assert "2." in docker(*command[1:], image(project, "backfill"), "-c", "--", "ray --version")


@pytest.mark.parametrize(
    "project",
    each_of(project.name for project in find_projects() if "train:train" in project.steps),
)
def test_training_and_compiling_share_a_layer_of_packages(project: str) -> None:
    def shared(component: str, other: str) -> int:
        """The number of layers that two images share."""
        layers = [inspect(image(project, name))["RootFS"]["Layers"] for name in (component, other)]
        return len(os.path.commonprefix(layers))

    # All images on the same core image share its layers.
    assert shared("train", "compile") > shared("train", "load")


@pytest.mark.parametrize("name", IMAGES)
def test_sources_are_a_small_layer_above_the_packages(name: str) -> None:
    history = docker("history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", name)
    copies = [int(line.split()[0]) for line in history.splitlines() if " COPY " in line]
    sources, packages = copies[:2]
    assert sources < 5 * MEGABYTE < packages


@pytest.mark.parametrize("name", IMAGES)
def test_unknown_program_is_refused_with_a_list_of_programs(name: str) -> None:
    result = subprocess.run(
        ["docker", "run", "--rm", name, "unheard-of"], capture_output=True, text=True
    )
    assert result.returncode == 2
    assert "There is no program 'unheard-of' here; there are: " in result.stderr
    assert "Traceback" not in result.stderr
