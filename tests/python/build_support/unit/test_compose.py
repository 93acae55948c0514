"""The command around compose, with a stand-in that says what it was given."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

COMPOSE = "build-support/docker/compose"
REQUIRE = "build-support/docker/require"
STAND_IN = """
[[ $1 != compose || $2 != version ]] || exit "${NO_PLUGIN:-0}"
[[ $1 != version ]] || exit "${NO_DAEMON:-0}"
[[ "$1 $2" != "image inspect" ]] || { [[ " ${MISSING:-} " != *" $3 "* ]]; exit; }
echo "$0 $*" >"$WORKSPACE/arguments"
for component in TRAIN COMPILE SERVE BACKFILL PASSED TRACES; do
    file=${component}_ENV_FILE
    echo "$component: ${!file#"$ROOT/"}: $(paste -sd' ' "${!file}")" >>"$WORKSPACE/files"
done
exit 7
"""
SECRET = "hidden word"


class Tree:
    """A project with a server only, one with all components, and a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        (folder / COMPOSE).parent.mkdir(parents=True)
        for script in (COMPOSE, REQUIRE):
            shutil.copy(script, folder / script)
        for file in Path("docker").glob("*.compose.yaml"):
            self.add(str(file), file.read_text())
        for name in ("bin/docker", "bin/docker-compose"):
            self.add(name, f"#!/bin/bash\n{STAND_IN}").chmod(0o755)
        for package, components in (
            ("keywords", ("train", "compile", "serve")),
            ("word_count", ("serve",)),
        ):
            self.add(f"src/python/{package}/project.py")
            for component in components:
                self.add(
                    f"src/python/{package}/{component}/config/dev.env", f"{component.upper()}_A=1\n"
                )

    def add(self, path: str, content: str = "") -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        given = {"PATH": path, "ROOT": str(self.folder), "WORKSPACE": str(self.workspace)}
        return subprocess.run(
            [str(self.folder / COMPOSE), *arguments],
            env=given | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def env_files(self) -> dict[str, str]:
        """The path and the lines of the env file of each kind."""
        lines = (self.workspace / "files").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("environment", "command"),
    [({}, "bin/docker compose"), ({"NO_PLUGIN": "1"}, "bin/docker-compose")],
)
def test_either_compose_gets_the_arguments_and_its_exit_code_is_the_command_s(
    tree: Tree, environment: dict[str, str], command: str
) -> None:
    process = tree.run("run", "--rm", "train", PROJECT="keywords", **environment)

    assert process.returncode == 7, process.stderr
    file = tree.folder / "docker/compose.yaml"
    arguments = (tree.workspace / "arguments").read_text()
    assert arguments == f"{tree.folder}/{command} --file {file} run --rm train\n"


def test_variables_of_the_registry_are_passed_on_by_name(tree: Tree) -> None:
    process = tree.run(
        "up",
        "train",
        PROJECT="keywords",
        MESH_REGISTRY_URI=f"postgresql://mesh:{SECRET}@db/models",
        MESH_REGISTRY_BACKEND="mlflow",
        # GitHub sets what has no value.
        MESH_REGISTRY_ARTIFACTS="",
        AWS_SECRET_ACCESS_KEY=SECRET,
        NEPTUNE_API_TOKEN=SECRET,
        HF_TOKEN=SECRET,
        # These name what only this machine has.
        AWS_PROFILE="dev",
        AWS_SHARED_CREDENTIALS_FILE="/home/someone/.aws/credentials",
        HF_HOME="/home/someone/.cache",
        GITHUB_TOKEN=SECRET,
    )

    names = (
        "AWS_SECRET_ACCESS_KEY HF_TOKEN MESH_REGISTRY_BACKEND MESH_REGISTRY_URI NEPTUNE_API_TOKEN"
    )
    assert sorted(tree.env_files()["PASSED"].partition(": ")[2].split()) == names.split()
    written = "".join(path.read_text() for path in tree.folder.rglob("*") if path.is_file())
    assert SECRET not in written + process.stdout + process.stderr


def test_variables_of_traces_are_passed_on_by_name(tree: Tree) -> None:
    process = tree.run(
        "up",
        "serve",
        PROJECT="keywords",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318",
        OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
        OTEL_TRACES_SAMPLER="",
        # These name what only this machine has.
        OTEL_EXPORTER_OTLP_CERTIFICATE="/home/someone/ca.crt",
        OTEL_EXPORTER_OTLP_CLIENT_KEY="/home/someone/client.key",
        TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        HF_TOKEN=SECRET,
    )

    files = tree.env_files()
    assert sorted(files["TRACES"].partition(": ")[2].split()) == [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "TRACEPARENT",
    ]
    assert files["PASSED"].partition(": ")[2] == "HF_TOKEN"
    written = "".join(path.read_text() for path in tree.folder.rglob("*") if path.is_file())
    assert SECRET not in written + process.stdout + process.stderr


def test_nothing_is_passed_on_where_nothing_is_set(tree: Tree) -> None:
    tree.run("up", "train", PROJECT="keywords")

    files = tree.env_files()
    passed, traces = (files[kind].removesuffix(": ") for kind in ("PASSED", "TRACES"))
    # docker-compose refuses a service that lists one file twice.
    assert passed != traces
    for file in (passed, traces):
        assert (tree.folder / file).read_text() == ""


@pytest.mark.parametrize("accelerator", ["cuda", "neuron"])
def test_accelerator_adds_its_images_and_devices(tree: Tree, accelerator: str) -> None:
    tree.run("up", "train", PROJECT="keywords", IMAGE_ACCELERATOR=accelerator)

    files = [
        f"--file {tree.folder}/docker/{name}" for name in ("compose", f"{accelerator}.compose")
    ]
    arguments = (tree.workspace / "arguments").read_text()
    assert arguments.endswith(f" {files[0]}.yaml {files[1]}.yaml up train\n")


def test_load_test_is_told_the_digest_of_the_server_s_image(tree: Tree) -> None:
    known = "mesh/keywords-serve@sha256:ab sha256:cd"
    tree.add(
        "bin/docker",
        f"""#!/bin/bash
[[ "$1 $2" != "image inspect" ]] || {{ echo "${{FOUND-{known}}}"; exit; }}
[[ $2 == version ]] || echo "$SERVE_IMAGE_DIGEST" >"$WORKSPACE/digest"
""",
    )
    digest = tree.workspace / "digest"

    for found, expected in ((known, "sha256:ab"), ("sha256:cd", "sha256:cd"), ("", "")):
        tree.run("run", "--rm", "serve-load", PROJECT="keywords", FOUND=found)
        assert digest.read_text() == f"{expected}\n"


@pytest.mark.parametrize(("recipe", "component"), [(True, "load"), (False, "compile")])
def test_model_comes_from_the_smallest_image_that_can_bring_it(
    tree: Tree, recipe: bool, component: str
) -> None:
    if recipe:
        tree.add("src/python/keywords/recipe.py")
    tree.add(
        "bin/docker",
        """#!/bin/bash
[[ $2 == version ]] || echo "$DOWNLOAD_COMPONENT" >"$WORKSPACE/component"
""",
    )

    tree.run("run", "--rm", "serve-download-model", PROJECT="keywords")

    assert (tree.workspace / "component").read_text() == f"{component}\n"


def test_components_that_a_project_lacks_have_no_settings(tree: Tree) -> None:
    tree.run("up", "serve", PROJECT="word-count")

    assert tree.env_files() | {"PASSED": "", "TRACES": ""} == {
        "TRAIN": "dist/docker/none.env: ",
        "COMPILE": "dist/docker/none.env: ",
        "SERVE": "src/python/word_count/serve/config/dev.env: SERVE_A=1",
        "BACKFILL": "dist/docker/none.env: ",
        "PASSED": "",
        "TRACES": "",
    }


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "PROJECT= isn't a project; there are: keywords word-count."),
        ({"PROJECT": "../keywords"}, "PROJECT=../keywords isn't a project"),
        (
            {"PROJECT": "keywords", "ENVIRONMENT": "stage"},
            "ENVIRONMENT=stage is neither dev nor prod.",
        ),
        (
            {"PROJECT": "keywords", "IMAGE_ACCELERATOR": "../tpu"},
            "IMAGE_ACCELERATOR=../tpu is neither cuda nor neuron.",
        ),
    ],
)
def test_wrong_names_are_explained_and_nothing_is_run(
    tree: Tree, environment: dict[str, str], sentence: str
) -> None:
    process = tree.run("up", "serve", **environment)

    assert process.returncode == 2
    assert sentence in process.stderr
    assert not list(tree.workspace.iterdir())


@pytest.mark.parametrize(
    ("arguments", "missing", "component"),
    [
        (["up", "--exit-code-from", "train", "train"], "train", "train"),
        (["run", "--rm", "compile-model", "trace"], "compile", "compile"),
        (["run", "--rm", "-e", "A=1", "upload-model"], "compile", "compile"),
        (["run", "--rm", "serve-load"], "load", "load"),
        (["run", "--rm", "serve-load"], "serve", "serve"),
        (["run", "--rm", "serve-functional"], "serve", "serve"),
        (["run", "--rm", "train-unit"], "train", "train"),
        (["up", "serve"], "serve", "serve"),
    ],
)
def test_image_that_is_missing_is_named_with_what_builds_it(
    tree: Tree, arguments: list[str], missing: str, component: str
) -> None:
    process = tree.run(
        *arguments, PROJECT="keywords", MISSING=f"keywords-{missing}:v1", IMAGE_TAG="v1"
    )

    assert process.returncode == 1
    assert process.stderr == (
        f"The image keywords-{missing}:v1 is missing; make projects.build/keywords"
        f" COMPONENT={component} builds it.\n"
    )
    assert not (tree.workspace / "arguments").exists()


@pytest.mark.parametrize(
    ("accelerator", "service", "missing", "more"),
    [
        ("cuda", "train", "train-cuda", " IMAGE_ACCELERATOR=cuda"),
        ("neuron", "compile-model", "compile-neuron", " IMAGE_ACCELERATOR=neuron"),
        ("neuron", "train", "train", ""),
    ],
)
def test_image_for_an_accelerator_that_is_missing(
    tree: Tree, accelerator: str, service: str, missing: str, more: str
) -> None:
    process = tree.run(
        "up",
        service,
        PROJECT="keywords",
        IMAGE_ACCELERATOR=accelerator,
        MISSING=f"keywords-{missing}:latest",
    )

    assert process.returncode == 1
    assert process.stderr.endswith(f"COMPONENT={missing.partition('-')[0]}{more} builds it.\n")


def test_program_s_arguments_are_no_services(tree: Tree) -> None:
    process = tree.run(
        "run", "--rm", "train", "serve", PROJECT="keywords", MISSING="keywords-serve:latest"
    )

    assert process.returncode == 7, process.stderr


def test_images_of_a_registry_are_pulled(tree: Tree) -> None:
    missing = "mesh/keywords-train:latest keywords-train:latest"

    process = tree.run("up", "train", PROJECT="keywords", IMAGE_REGISTRY="mesh", MISSING=missing)

    assert process.returncode == 7, process.stderr


@pytest.mark.parametrize("verb", ["up", "run", "down", "stop", "logs", "version"])
def test_daemon_that_does_not_answer(tree: Tree, verb: str) -> None:
    process = tree.run(verb, PROJECT="keywords", NO_DAEMON="1")

    assert process.returncode == 1
    assert "No Docker daemon answers; build-support/docker/daemon starts one." in process.stderr
