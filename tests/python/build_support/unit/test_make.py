"""The Makefile, in a tree with the projects and programs of the test."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on PATH")

COMPOSE = """services:
  train: {image: a}
  download-model: {image: a}
  compile-model: {image: a}
  serve-download-model: {image: a}
  serve: {image: a}
  serve-functional: {image: a}
"""


BASE = "build-support/docker/require base\n"
DAEMON = "build-support/docker/require daemon\n"


class Tree:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy("Makefile", folder)
        self.add_project("keywords", "train", "compile", "serve")
        self.add("docker/compose.yaml", COMPOSE)
        for accelerator, component in (("cuda", "train"), ("neuron", "compile")):
            name = f"${{PROJECT:?name one}}-{component}-{accelerator}"
            image = f'  train: {{image: "${{IMAGE_PREFIX:-}}{name}:latest"}}'
            self.add(f"docker/{accelerator}.compose.yaml", f"services:\n{image}\n")
        self.add("docker/python-base/BUILD")
        for program in (
            "pants",
            "build-support/docker/compose",
            "build-support/docker/require",
            "build-support/docker/up",
        ):
            self.add(
                program,
                '#!/bin/bash\necho "$0 $*; $PROJECT $ENVIRONMENT $IMAGE_TAG" >>calls\n[[ $* != *run* ]]\n',
            )

    def add(self, path: str, content: str = "") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755)

    def add_project(self, package: str, *components: str) -> None:
        self.add(f"src/python/{package}/project.py")
        for component in components:
            self.add(f"src/python/{package}/{component}/BUILD")

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (
            ["projects.build/keywords", "COMPONENT=train", "IMAGE_TAG=some-tag"],
            f"{BASE}./pants package src/python/keywords/train:image",
        ),
        (["projects.build/keywords"], f"{BASE}./pants package src/python/keywords/serve:image"),
        (
            ["projects.build/keywords", "COMPONENT=train", "IMAGE_ACCELERATOR=cuda"],
            f"{BASE}./pants package src/python/keywords/train:cuda",
        ),
        (
            ["projects.deploy/keywords", "COMPONENT=compile", "IMAGE_ACCELERATOR=neuron"],
            f"{BASE}./pants publish src/python/keywords/compile:neuron",
        ),
        (
            ["projects.deploy/keywords", "COMPONENT=compile"],
            f"{BASE}./pants publish src/python/keywords/compile:image",
        ),
        (
            ["projects.start/keywords", "COMPONENT=train"],
            "PROJECT=keywords build-support/docker/compose up --exit-code-from train train",
        ),
        (
            ["projects.run/keywords", "COMPONENT=serve", "TASK=download-model"],
            "PROJECT=keywords build-support/docker/compose run --rm serve-download-model",
        ),
        (
            ["projects.run/keywords", "COMPONENT=compile", "TASK=download-model"],
            "PROJECT=keywords build-support/docker/compose run --rm download-model",
        ),
        (
            ["projects.compile/keywords", "PIPELINE_COMPONENT=compile-model", "ENVIRONMENT=dev"],
            "PROJECT=keywords build-support/docker/compose run --rm compile-model",
        ),
        (
            ["projects.unit/keywords", "COMPONENT=train"],
            f"{DAEMON}./pants package build-support/docker:tests-pex\n"
            "PROJECT=keywords build-support/docker/compose run --rm train-unit",
        ),
        (
            ["projects.integration/keywords"],
            f"{DAEMON}./pants package build-support/docker:tests-pex\n"
            "PROJECT=keywords build-support/docker/compose run --rm serve-integration",
        ),
        (
            ["projects.stop/keywords"],
            "PROJECT=keywords build-support/docker/compose down --remove-orphans",
        ),
        (["projects.test/keywords"], "./pants test tests/python/keywords::"),
        (["docker.build/python-base"], f"{BASE}./pants package docker/python-base:image"),
        (["up", "PROJECT=keywords"], "build-support/docker/up keywords"),
    ],
)
def test_targets_are_commands(tree: Tree, arguments: list[str], command: str) -> None:
    process = tree.make("--dry-run", *arguments)

    assert (process.returncode, process.stdout) == (0, f"{command}\n"), process.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["projects.build/keyword"], 'There is no project "keyword"; there are: keywords.'),
        (["projects.build/a b"], "There is no project"),
        (["projects.build/$(touch x)"], "There is no project"),
        (
            ["projects.build/keywords", "COMPONENT=srve"],
            'There is no component of keywords "srve"; there are: compile serve train.',
        ),
        (
            ["projects.unit/keywords", "COMPONENT=serve train"],
            'There is no component of keywords "serve train"',
        ),
        (
            ["projects.start/keywords", "COMPONENT=compile"],
            'There is no container "compile"; there are: train serve.',
        ),
        (
            ["projects.run/keywords"],
            'There is no task of serve ""; there are: download-model functional.',
        ),
        (
            ["projects.compile/keywords", "PIPELINE_COMPONENT=trace"],
            'There is no PIPELINE_COMPONENT "trace"; there are: download-model compile-model.',
        ),
        (
            ["projects.start/keywords", "ENVIRONMENT=test"],
            'There is no environment "test"; there are: dev prod.',
        ),
        (["up"], 'There is no project ""; there are: keywords.'),
        (["up", "PROJECT=$(touch x)"], "There is no project"),
        (["docker.build/base"], 'There is no core image "base"; there are: python-base.'),
    ],
)
def test_wrong_names_are_explained_and_nothing_is_run(
    tree: Tree, arguments: list[str], sentence: str
) -> None:
    before = sorted(tree.folder.iterdir())

    process = tree.make(*arguments)

    assert process.returncode == 2
    assert sentence in process.stderr
    assert sorted(tree.folder.iterdir()) == before


def test_new_project_needs_no_edit(tree: Tree) -> None:
    tree.add_project("entity_linking", "serve")

    process = tree.make("--dry-run", "projects.build/entity-linking")

    assert process.stdout == f"{BASE}./pants package src/python/entity_linking/serve:image\n"
    assert (
        "there are: serve." in tree.make("projects.build/entity-linking", "COMPONENT=train").stderr
    )


def test_values_reach_programs_as_environment(tree: Tree) -> None:
    tag = "$$(touch x)'; touch y"

    process = tree.make("projects.build/keywords", f"IMAGE_TAG={tag}", "ENVIRONMENT=prod")

    assert process.returncode == 0, process.stderr
    assert tree.calls() == [
        "build-support/docker/require base;  prod $(touch x)'; touch y",
        "./pants package src/python/keywords/serve:image;  prod $(touch x)'; touch y",
    ]
    assert not (tree.folder / "x").exists()
    assert not (tree.folder / "y").exists()


def test_failure_of_a_container_is_make_s(tree: Tree) -> None:
    process = tree.make("projects.compile/keywords", "PIPELINE_COMPONENT=compile-model")

    assert process.returncode == 2
    assert len(tree.calls()) == 1


def test_failed_requests_stop_the_server_and_fail(tree: Tree) -> None:
    process = tree.make("projects.functional/keywords")

    assert process.returncode == 2
    assert [call.split(";")[0] for call in tree.calls()] == [
        "build-support/docker/require daemon",
        "./pants package build-support/docker:tests-pex",
        "build-support/docker/compose run --rm serve-functional",
        "build-support/docker/compose stop",
    ]


@pytest.mark.parametrize(
    "target",
    ["projects.build", "projects.deploy", "projects.unit", "projects.integration", "docker.build"],
)
def test_what_is_missing_stops_before_anything_is_built(tree: Tree, target: str) -> None:
    tree.add(
        "build-support/docker/require",
        "#!/bin/bash\necho 'No daemon; some-command starts one.' >&2; exit 1\n",
    )

    name = "python-base" if target == "docker.build" else "keywords"
    process = tree.make(f"{target}/{name}")

    assert process.returncode == 2
    assert "some-command starts one" in process.stderr
    assert tree.calls() == []


def test_help_names_every_target(tree: Tree) -> None:
    process = tree.make()

    targets = [
        line.split(":")[0].replace("%", "<name>")
        for line in Path("Makefile").read_text().splitlines()
        if re.match(r"[a-z][^ :=]*:( |$)", line)
    ]
    assert len(targets) > 10
    for target in targets:
        assert f"\n{target} " in f"\n{process.stdout}"
    assert "Projects: keywords" in process.stdout
