import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import images
import pytest

REGISTRY = "registry.example.com/mesh"
SERVE = "src/python/keywords/serve:image"


def item(target: str, **more: Any) -> dict[str, Any]:
    return {"target": target, "tags": ["docker"], **more}


class Tree:
    """A folder with a `pants` that builds what it is asked for and a `docker` that only says what it pushes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.add(
            "pants",
            """echo "$*" >>commands
for address in "${@:2}"; do
    [[ $address != *:unbuildable ]] || continue
    name=${address%:*}
    mkdir -p "dist/${name//\\//.}"
    echo '{"registries": [{"tags": [{"name": "'"$IMAGE_REGISTRY/${name##*/}:$IMAGE_TAG"'"}]}]}' \\
        >"dist/${name//\\//.}/${address#*:}.docker-info.json"
done""",
        )
        self.add("build-support/docker/test", 'echo "docker/test $*" >>commands')
        for package in ("keywords", "word_count"):
            self.add(f"src/python/{package}/project.py", "")
        self.add("bin/docker", 'echo "$*" >>commands; [[ $* != *refused* ]]')

    def add(self, path: str, body: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)

    def run(
        self, verb: str, plan: dict[str, Any], **environment: str
    ) -> subprocess.CompletedProcess[str]:
        (self.folder / "plan.json").write_text(
            json.dumps({"images": [], "models": [], "tests": [], **plan})
        )
        settings = {"IMAGE_REGISTRY": REGISTRY, "IMAGE_TAG": "ci-1-1", **environment}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, images.__file__, verb, "plan.json"],
            cwd=self.folder,
            env={"PATH": path, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def commands(self) -> list[str]:
        file = self.folder / "commands"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_what_was_built_is_pushed(tree: Tree) -> None:
    plan = {"images": [item(SERVE)]}

    assert tree.run("build", plan).returncode == 0
    assert tree.run("push", plan).returncode == 0

    assert tree.commands() == [f"package {SERVE}", f"push --quiet {REGISTRY}/serve:ci-1-1"]


def test_images_that_make_models_are_built_too(tree: Tree) -> None:
    plan = {"images": [item(SERVE)], "models": [item("keywords", first="compile:download")]}

    assert images.addresses(plan) == [
        "src/python/keywords/compile:image",
        SERVE,
        "src/python/keywords/train:image",
    ]


def test_nothing_is_pushed_when_an_image_is_missing(tree: Tree) -> None:
    plan = {"images": [item("docker/broken:unbuildable"), item(SERVE)]}
    tree.run("build", plan)

    process = tree.run("push", plan)

    assert process.returncode == 1
    assert "not built: docker/broken:unbuildable" in process.stderr
    assert not [command for command in tree.commands() if command.startswith("push")]


def vendors(*targets: str) -> dict[str, Any]:
    return {"images": [item(each, tags=["docker", "vendor"]) for each in targets] + [item(SERVE)]}


def test_vendors_images_stop_nothing_else(tree: Tree) -> None:
    plan = vendors("docker/gpu-base:unbuildable")

    assert tree.run("build", plan).returncode == 0
    assert tree.run("push", plan).returncode == 0

    assert tree.commands() == [f"package {SERVE}", f"push --quiet {REGISTRY}/serve:ci-1-1"]


def test_each_vendors_image_is_built_and_pushed_on_its_own(tree: Tree) -> None:
    neuron, cuda = "src/python/keywords/compile:neuron", "src/python/keywords/train:cuda"

    process = tree.run("vendors", vendors(cuda, "docker/gpu-base:unbuildable", neuron))

    assert process.returncode == 0
    assert "went on without docker/gpu-base:unbuildable" in process.stderr
    assert tree.commands() == [
        "package docker/gpu-base:unbuildable",
        f"package {neuron}",
        f"push --quiet {REGISTRY}/compile:ci-1-1",
        f"package {cuda}",
        f"push --quiet {REGISTRY}/train:ci-1-1",
    ]


def test_plan_without_vendors_images(tree: Tree) -> None:
    assert tree.run("vendors", {"images": [item(SERVE)]}).returncode == 0
    assert tree.commands() == []


def test_image_of_an_earlier_build_is_not_pushed(tree: Tree) -> None:
    tree.run("build", {"images": [item(SERVE)]})
    tree.add("pants", "exit 1")

    assert tree.run("build", {"images": [item(SERVE)]}).returncode == 1
    assert tree.run("push", {"images": [item(SERVE)]}).returncode == 1


def test_image_for_another_registry_is_not_pushed(tree: Tree) -> None:
    plan = {"images": [item(SERVE)]}
    tree.run("build", plan)

    process = tree.run("push", plan, IMAGE_REGISTRY="elsewhere.example.com")

    assert process.returncode == 1
    assert "was not built for elsewhere.example.com" in process.stderr


def test_refused_push_fails(tree: Tree) -> None:
    plan = {"images": [item(SERVE)]}
    tree.run("build", plan, IMAGE_TAG="refused")

    assert tree.run("push", plan, IMAGE_TAG="refused").returncode == 1


def test_registry_must_be_named(tree: Tree) -> None:
    process = tree.run("push", {"images": [item(SERVE)]}, IMAGE_REGISTRY="")

    assert process.returncode == 2
    assert "set IMAGE_REGISTRY" in process.stderr


CONTAINERS = "tests/python/containers/functional/test_project_life.py"


@pytest.mark.parametrize(
    ("plan", "projects"),
    [
        ({"images": [item("src/python/word_count/serve:image")]}, "word-count"),
        ({"models": [item("keywords", first="compile:download")]}, "keywords"),
        (
            {
                "tests": [
                    item(
                        CONTAINERS,
                        tags=["functional", "containers"],
                        files=["tests/python/keywords/serve/unit/test_program.py"],
                    )
                ]
            },
            "keywords",
        ),
        (
            {"tests": [item(CONTAINERS, tags=["containers"], files=["docker/compose.yaml"])]},
            "keywords mesh word-count",
        ),
        ({"tests": [item(CONTAINERS, tags=["containers"], files=[])]}, "keywords mesh word-count"),
        ({"images": [item("src/python/mesh/registry:image")]}, "mesh"),
    ],
)
def test_containers_of_the_projects_that_are_concerned_are_tested(
    tree: Tree, plan: dict[str, Any], projects: str
) -> None:
    assert tree.run("test", plan).returncode == 0
    assert tree.commands() == [f"docker/test {projects}"]


@pytest.mark.parametrize(
    "plan",
    [
        {"images": [item("docker/gpu-base:image")]},
        {
            "tests": [
                item("tests/python/keywords/test_model.py", files=["src/python/keywords/a.py"])
            ]
        },
    ],
)
def test_no_containers_are_tested_where_none_is_concerned(tree: Tree, plan: dict[str, Any]) -> None:
    assert tree.run("test", plan).returncode == 0
    assert tree.commands() == []


def test_failed_test_of_containers_fails(tree: Tree) -> None:
    tree.add("build-support/docker/test", "exit 3")

    assert tree.run("test", {"images": [item(SERVE)]}).returncode == 3


def test_plan_without_images(tree: Tree) -> None:
    assert tree.run("build", {}).returncode == 0
    assert tree.commands() == []
