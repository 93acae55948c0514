"""One command from sources to a server, with stand-ins for the scripts that it calls; and what it needs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = "build-support/docker"


class Tree:
    """A tree with projects of each kind, whose scripts say what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for script in ("up", "require"):
            self.add(f"{FOLDER}/{script}", Path(FOLDER, script).read_text())
        for script in ("base-image", "package", "compose"):
            self.add(
                f"{FOLDER}/{script}",
                f'#!/bin/bash\necho "{script} $*; ${{PROJECT:-}}" >>calls\n[[ $* != *"${{FAIL:-nothing}}"* ]]\n',
            )
        self.add("bin/docker", '#!/bin/bash\n[[ " ${LACKING:-} " != *" $1 "* ]]\n')
        projects = {
            "keywords": ["recipe.py", "train/BUILD", "compile/BUILD", "load/BUILD"],
            "word_types": [
                "recipe.py",
                "ingest/BUILD",
                "register/BUILD",
                "train/BUILD",
                "compile/BUILD",
            ],
            "entities": ["compile/BUILD", "load/BUILD"],
            "lsh": ["load/BUILD", "backfill/BUILD"],
        }
        for package, files in projects.items():
            for file in ["project.py", "serve/BUILD", *files]:
                self.add(f"src/python/{package}/{file}")

    def add(self, path: str, content: str = "") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755)

    def run(
        self, script: str, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        path = environment.pop("PATH", f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        return subprocess.run(
            [str(self.folder / FOLDER / script), *arguments],
            env={"PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return (
            [line.split(";")[0] for line in file.read_text().splitlines()] if file.exists() else []
        )


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


COMPILING = ["download-model", "compile-model", "validate-model", "upload-model"]


@pytest.mark.parametrize(
    ("project", "components", "steps"),
    [
        (
            "keywords",
            ["serve", "train", "compile", "load"],
            ["train", *COMPILING, "serve-download-model"],
        ),
        (
            "word-types",
            ["serve", "ingest", "register", "train", "compile", "load"],
            ["ingest", "register", "train", *COMPILING, "serve-download-model"],
        ),
        ("entities", ["serve", "compile"], ["serve-download-model"]),
        ("lsh", ["serve"], []),
    ],
)
def test_images_life_cycle_and_server(
    tree: Tree, project: str, components: list[str], steps: list[str]
) -> None:
    process = tree.run("up", project)

    assert process.returncode == 0, process.stderr
    package = project.replace("-", "_")
    images = " ".join(f"src/python/{package}/{component}:image" for component in components)
    assert tree.calls() == [
        "compose version",
        "base-image ",
        f"package {images}",
        *(f"compose run --rm {step}" for step in steps),
        "compose up --exit-code-from serve serve",
    ]
    lines = (tree.folder / "calls").read_text().splitlines()
    assert all(line.endswith(f"; {project}") for line in lines)


def test_failed_step_ends_it(tree: Tree) -> None:
    process = tree.run("up", "keywords", FAIL="compile-model")

    assert process.returncode == 1
    assert tree.calls()[-1] == "compose run --rm compile-model"


@pytest.mark.parametrize("project", ["", "key", "mesh/../keywords"])
def test_unknown_project(tree: Tree, project: str) -> None:
    process = tree.run("up", *([project] if project else []))

    assert process.returncode == 2
    assert "there are: entities keywords lsh word-types." in process.stderr
    assert tree.calls() == []


@pytest.mark.parametrize(
    ("lacking", "arguments", "sentence"),
    [
        (
            "version",
            ["daemon"],
            "No Docker daemon answers; build-support/docker/daemon starts one.",
        ),
        ("version", ["base"], "No Docker daemon answers; build-support/docker/daemon starts one."),
        (
            "image",
            ["base"],
            "The base of all images is missing; build-support/docker/base-image makes it.",
        ),
        ("image", ["image", "a:v1", "make it"], "The image a:v1 is missing; make it builds it."),
    ],
)
def test_what_is_missing_is_named_with_its_command(
    tree: Tree, lacking: str, arguments: list[str], sentence: str
) -> None:
    process = tree.run("require", *arguments, LACKING=lacking)

    assert (process.returncode, process.stderr) == (1, f"{sentence}\n")
    assert tree.run("require", *arguments).returncode == 0


def test_missing_docker(tree: Tree) -> None:
    for tool in ("bash", "env"):
        (tree.folder / "tools").mkdir(exist_ok=True)
        (tree.folder / "tools" / tool).symlink_to(str(shutil.which(tool)))

    process = tree.run("require", "daemon", PATH=str(tree.folder / "tools"))

    assert process.returncode == 1
    assert process.stderr.startswith("There is no docker; build-support/docker/daemon installs")


def test_nothing_is_built_without_daemon_and_compose(tree: Tree) -> None:
    assert tree.run("up", "keywords", FAIL="version").returncode == 1
    assert tree.calls() == ["compose version"]
