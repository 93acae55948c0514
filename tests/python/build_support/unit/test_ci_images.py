import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import image_parts
import images
import pytest

REGISTRY = "registry.example.com:5000/mesh"
SERVE = "src/python/keywords/serve:image"
# It keeps what is "built" as files, whose contents are the ids, and says what it saves and pushes.
DOCKER = """echo "$*" >>commands
[[ $* != *refused* ]] || exit 1
case $1 in
    save) cat store/* >"$3" ;;
    load) [[ -s $3 ]] || exit 1 ;;
    push) echo "v1: digest: sha256:$(cat "store/${2//\\//_}" | sha256sum | cut -c 1-64) size: 1" ;;
    image) case $3 in
        --format) cat "store/${5//\\//_}" ;;
        *) echo '[{"Id": "sha256:ab", "Config": {"Labels": null}}]' ;;
    esac ;;
    create) echo container ;;
    export) tar -c -T /dev/null ;;
esac"""


def item(target: str, **more: Any) -> dict[str, Any]:
    return {"target": target, "tags": ["docker"], **more}


class Tree:
    """A folder with a `pants` that builds what it is asked for and a `docker` that only says what it pushes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.add(
            "pants",
            """echo "$*" >>commands
mkdir -p store
for address in "${@:2}"; do
    [[ $address != *:unbuildable ]] || continue
    name=${address%:*}
    mkdir -p "dist/${name//\\//.}"
    file=$IMAGE_REGISTRY/${name##*/}:$IMAGE_TAG
    echo "id of $address" >"store/${file//\\//_}"
    echo '{"registries": [{"tags": [{"name": "'"$IMAGE_REGISTRY/${name##*/}:$IMAGE_TAG"'"}]}]}' \\
        >"dist/${name//\\//.}/${address#*:}.docker-info.json"
done""",
        )
        self.add("build-support/docker/test", 'echo "docker/test $*" >>commands')
        for package in ("keywords", "word_count"):
            self.add(f"src/python/{package}/project.py", "")
        self.add("bin/docker", DOCKER)

    def add(self, path: str, body: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"IMAGE_REGISTRY": REGISTRY, "IMAGE_TAG": "ci-1-1", **environment}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, images.__file__, *arguments],
            cwd=self.folder,
            env={"PATH": path, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def plan(self, **parts: Any) -> None:
        content = {"images": [], "models": [], "tests": [], **parts}
        (self.folder / "plan.json").write_text(json.dumps(content))

    def of_part(
        self, verb: str, part: str = "keywords", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Do something with a part of the plan."""
        folder = ["saved"] if verb == "save" else []
        return self.run(verb, "plan.json", part, *folder, **environment)

    def pushed(self) -> list[str]:
        return [command for command in self.commands() if command.startswith("push")]

    def commands(self) -> list[str]:
        file = self.folder / "commands"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_what_was_built_is_pushed(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])

    for process in (tree.of_part("build"), tree.of_part("save"), tree.run("push", "saved")):
        assert process.returncode == 0, process.stderr

    name = f"{REGISTRY}/serve:ci-1-1"
    asked = f"image inspect --format {{{{.Id}}}} {name}"
    assert tree.commands() == [
        f"package {SERVE}",
        asked,
        f"save --output saved/images.tar {name}",
        f"image inspect {name}",
        f"create {name}",
        "export container",
        "rm container",
        "load --input saved/images.tar",
        asked,
        f"push {name}",
    ]
    [digest] = json.loads((tree.folder / "saved/pushed.json").read_text()).values()
    checksums = (tree.folder / "saved/checksums.txt").read_text()
    assert checksums == f"{digest.removeprefix('sha256:')}  {REGISTRY}/serve\n"


def test_pushed_images_are_signed_with_what_they_are_made_of(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])
    tree.add("bin/cosign", 'echo "cosign $*" >>commands; [[ ! -e unsigned ]]')
    for process in (tree.of_part("build"), tree.of_part("save"), tree.run("push", "saved")):
        assert process.returncode == 0, process.stderr

    process = tree.run("sign", "saved")

    assert process.returncode == 0, process.stderr
    [digest] = json.loads((tree.folder / "saved/pushed.json").read_text()).values()
    image = f"{REGISTRY}/serve@{digest}"
    contents = "saved/registry.example.com-5000-mesh-serve-ci-1-1.cdx.json"
    assert json.loads((tree.folder / contents).read_text())["bomFormat"] == "CycloneDX"
    assert tree.commands()[-2:] == [
        f"cosign sign --yes {image}",
        f"cosign attest --yes --type cyclonedx --predicate {contents} {image}",
    ]

    (tree.folder / "unsigned").touch()
    process = tree.run("sign", "saved")
    assert process.returncode == 1
    assert "cosign sign failed" in process.stderr


def test_what_was_not_pushed_is_not_signed(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])
    tree.of_part("build")
    tree.of_part("save")

    process = tree.run("sign", "saved")

    assert process.returncode == 1
    assert process.stderr == "images.py: saved/pushed.json is missing; run push first.\n"


def test_images_are_in_the_parts_of_their_projects(tree: Tree) -> None:
    plan: dict[str, Any] = {
        "images": [
            item(SERVE),
            item("docker/python-base:image"),
            item("src/python/mesh/registry:image"),
            item("src/python/word_count/serve:image"),
            item("docker/gpu-base:image", tags=["docker", "vendor"]),
            item("src/python/word_count/train:cuda", tags=["docker", "vendor"]),
        ],
        "models": [item("keywords", first="compile:download")],
        "tests": [],
    }

    assert image_parts.parts(tree.folder, plan) == {
        "keywords": ["src/python/keywords/compile:image", SERVE, "src/python/keywords/train:image"],
        "mesh": ["docker/python-base:image", "src/python/mesh/registry:image"],
        "word-count": ["src/python/word_count/serve:image"],
    }
    assert image_parts.vendor_parts(plan) == {
        "gpu-base": ["docker/gpu-base:image"],
        "word-count-train-cuda": ["src/python/word_count/train:cuda"],
    }


def test_a_part_has_its_own_images_alone(tree: Tree) -> None:
    tree.plan(
        images=[
            item(SERVE),
            item("src/python/word_count/serve:image"),
            item("src/python/keywords/train:cuda", tags=["vendor"]),
        ]
    )

    for part in ("word-count", "keywords-train-cuda"):
        assert tree.of_part("build", part).returncode == 0
    assert tree.commands() == [
        "package src/python/word_count/serve:image",
        "package src/python/keywords/train:cuda",
    ]


def test_unknown_part(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])

    process = tree.of_part("build", "key")

    assert process.returncode == 1
    assert process.stderr == "images.py: the plan has no part 'key', but keywords.\n"


def test_nothing_is_saved_when_an_image_is_missing(tree: Tree) -> None:
    tree.plan(images=[item("src/python/keywords/train:unbuildable"), item(SERVE)])
    tree.of_part("build")

    process = tree.of_part("save")

    assert process.returncode == 1
    assert "not built: src/python/keywords/train:unbuildable" in process.stderr
    assert not (tree.folder / "saved").exists()


def test_image_of_an_earlier_build_is_not_saved(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])
    tree.of_part("build")
    tree.add("pants", "exit 1")

    assert tree.of_part("build").returncode == 1
    assert tree.of_part("save").returncode == 1


@pytest.mark.parametrize("registry", ["elsewhere.example.com", REGISTRY[:-1]])
def test_image_for_another_registry_is_not_pushed(tree: Tree, registry: str) -> None:
    tree.plan(images=[item(SERVE)])
    tree.of_part("build")
    tree.of_part("save")

    for process in (
        tree.of_part("save", IMAGE_REGISTRY=registry),
        tree.run("push", "saved", IMAGE_REGISTRY=registry),
    ):
        assert process.returncode == 1
        assert f"was not built for {registry}" in process.stderr
    assert not tree.pushed()


def test_image_that_is_not_the_tested_one_is_not_pushed(tree: Tree) -> None:
    tree.plan(images=[item(SERVE), item("src/python/keywords/train:image")])
    tree.of_part("build")
    tree.of_part("save")
    tree.of_part("build", IMAGE_TAG="other")
    [file] = (tree.folder / "store").glob("*_train:ci-1-1")
    file.write_text("id of another one\n")

    process = tree.run("push", "saved")

    assert process.returncode == 1
    assert "/train:ci-1-1 isn't the image that was tested" in process.stderr
    assert not tree.pushed()


def test_refused_push_fails(tree: Tree) -> None:
    tree.plan(images=[item(SERVE)])
    tree.of_part("build")
    tree.of_part("save")
    tree.add("bin/docker", DOCKER.replace("*refused*", "push*"))

    process = tree.run("push", "saved")

    assert process.returncode == 1
    assert "docker push failed" in process.stderr
    assert not (tree.folder / "saved/pushed.json").exists()


@pytest.mark.parametrize("verb", ["save", "push"])
def test_registry_must_be_named(tree: Tree, verb: str) -> None:
    tree.plan(images=[item(SERVE)])
    arguments = ["plan.json", "keywords", "saved"] if verb == "save" else ["saved"]

    process = tree.run(verb, *arguments, IMAGE_REGISTRY="")

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
    tree.plan(**plan)
    full = {"images": [], "models": [], "tests": [], **plan}

    for part in image_parts.parts(tree.folder, full):
        assert tree.of_part("test", part).returncode == 0
    assert tree.commands() == [f"docker/test {project}" for project in projects.split()]


def test_part_with_tests_alone_has_nothing_to_build_or_push(tree: Tree) -> None:
    tree.plan(tests=[item(CONTAINERS, tags=["containers"], files=["src/python/keywords/a.py"])])

    for process in (
        tree.of_part("build"),
        tree.of_part("save"),
        tree.run("push", "saved"),
        tree.run("sign", "saved"),
    ):
        assert process.returncode == 0, process.stderr
    assert tree.commands() == []
    assert not (tree.folder / "saved/checksums.txt").exists()


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {
            "tests": [
                item("tests/python/keywords/test_model.py", files=["src/python/keywords/a.py"])
            ]
        },
    ],
)
def test_no_part_where_nothing_is_concerned(tree: Tree, plan: dict[str, Any]) -> None:
    assert image_parts.parts(tree.folder, {"images": [], "models": [], "tests": [], **plan}) == {}


def test_core_images_have_no_containers_to_test(tree: Tree) -> None:
    tree.plan(images=[item("docker/python-base:image")])

    assert tree.of_part("test", "mesh").returncode == 0
    assert tree.commands() == []


def test_failed_test_of_containers_fails(tree: Tree) -> None:
    tree.add("build-support/docker/test", "exit 3")
    tree.plan(images=[item(SERVE)])

    assert tree.of_part("test").returncode == 3
