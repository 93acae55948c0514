"""Every project in containers: its life cycle, its server on a network, its tests inside its images."""

import http.client
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from containers.functional.compose_project import USER
from containers.functional.compose_project import Compose
from containers.functional.compose_project import components
from containers.functional.compose_project import compose_project
from containers.functional.compose_project import docker
from containers.functional.compose_project import image
from containers.functional.compose_project import inspect
from containers.functional.compose_project import needs_images
from containers.functional.compose_project import wait_until

pytestmark = needs_images()

PROJECTS = list(components())
TRAINED = [project for project, names in components().items() if "compile" in names]
KINDS = ("unit", "integration", "functional")
# Asks what the documentation of the server gives as an example.
EXAMPLE = """
import json, sys, urllib.request

def ask(path, body=None):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request("http://serve:8000" + path, body and json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))

path = f"/v1/model/{sys.argv[1]}/predict"
operation = ask("/openapi.json")["paths"][path]["post"]
example = operation["requestBody"]["content"]["application/json"]["example"]
print(json.dumps({"asked": example, "answered": ask(path, example)}))
"""


@dataclass(frozen=True)
class Life:
    """A project whose steps before serving were run, with its server."""

    compose: Compose
    outputs: dict[str, str]
    server: str


@pytest.fixture(scope="module", params=PROJECTS)
def life(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    with compose_project(request.param, tmp_path_factory.mktemp("life")) as compose:
        outputs = compose.live()
        yield Life(compose, outputs, compose.start_server())


def compiled_version(life: Life) -> Path:
    if "compile" not in components()[life.compose.project]:
        pytest.skip(f"{life.compose.project} is code alone")
    [folder] = (path for path in (life.compose.workspace / "models").iterdir() if path.is_dir())
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_server_runs_without_rights(life: Life) -> None:
    server = inspect(life.server)
    owner = USER if os.getuid() == 0 else os.getuid()
    group = USER if os.getuid() == 0 else os.getgid()
    assert server["Config"]["User"] == f"{owner}:{group}"
    assert server["HostConfig"]["ReadonlyRootfs"]
    assert server["HostConfig"]["CapDrop"] == ["ALL"]


def test_second_container_gets_an_answer_to_the_documented_example(life: Life) -> None:
    exchange = json.loads(life.compose.ask(EXAMPLE, life.compose.project))
    outputs = exchange["answered"]["outputs"]
    assert len(outputs) == len(exchange["asked"]["inputs"]) > 0
    assert all(outputs)


def test_stopped_server_answers_what_it_has_begun_to_receive(life: Life) -> None:
    body = json.dumps(json.loads(life.compose.ask(EXAMPLE, life.compose.project))["asked"]).encode()
    models = f"{life.compose.workspace / 'models'}:/workspace/models:ro"
    # Long enough for the rest of the body to arrive.
    options = ["--env", "SERVE_DRAIN_DELAY_SECONDS=5", "--volume", models]
    name = image(life.compose.project, "serve")
    container = docker("run", "--detach", "--publish", "127.0.0.1::8000", *options, name).strip()
    try:
        [binding] = inspect(container)["NetworkSettings"]["Ports"]["8000/tcp"]
        address = f"127.0.0.1:{binding['HostPort']}"
        wait_until(lambda: ready_status(address) == 200, container)
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.putrequest("POST", f"/v1/model/{life.compose.project}/predict")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        # The other one is the question itself.
        wait_until(lambda: requests_in_progress(address) == 2, container)

        docker("kill", "--signal", "TERM", container)
        wait_until(lambda: ready_status(address) == 503, container)
        connection.send(body[10:])
        answer = connection.getresponse()

        assert (answer.status, "outputs" in json.load(answer)) == (200, True)
        assert docker("wait", container).strip() == "0", docker("logs", container)
    finally:
        docker("rm", "--force", container)


def ready_status(address: str) -> int | None:
    try:
        return httpx.get(f"http://{address}/v1/ready").status_code
    except httpx.TransportError:
        return None


def requests_in_progress(address: str) -> float:
    text = httpx.get(f"http://{address}/metrics").text
    [value] = re.findall(r"^http_requests_in_progress (.*)$", text, re.MULTILINE)
    return float(value)


def test_steps_leave_their_files_to_the_caller(life: Life) -> None:
    compiled_version(life)
    workspace = life.compose.workspace
    report = read(workspace / "outputs" / life.compose.project / "validate" / "report.json")
    assert report["passed"]
    assert report["cases"]
    owner = USER if os.getuid() == 0 else os.getuid()
    assert {path.stat().st_uid for path in workspace.rglob("*")} == {owner}


def test_card_names_the_code_of_the_image(life: Life) -> None:
    card = read(compiled_version(life) / "model_card.json")
    labels = inspect(image(life.compose.project, "compile"))["Config"]["Labels"]
    assert card["code_revision"] == labels["org.opencontainers.image.revision"]


def test_second_run_makes_nothing(life: Life) -> None:
    compiled_version(life)
    for step in ("train", "compile-model"):
        exit_code, output = life.compose.step(step)
        assert (exit_code, "up to date" in output) == (0, True), output
    exit_code, output = life.compose.step("download-model")
    assert (exit_code, "is already in outputs" in output) == (0, True), output


def test_tests_pass_in_the_images(life: Life) -> None:
    project = life.compose.project
    folder = Path("tests/python") / project.replace("-", "_")
    services = [
        f"{component}-{kind}"
        for component in components()[project]
        for kind in KINDS
        if (folder / component / kind).is_dir()
    ]
    if not services:
        pytest.skip(f"{project} has no tests of a single component")
    for service in services:
        exit_code, output = life.compose.step(service)
        assert exit_code == 0, output
        [summary] = re.findall(r"^=+ (.*) in [0-9.]+s", output, re.MULTILINE)
        assert re.fullmatch(r"[0-9]+ passed", summary), output


@pytest.mark.parametrize("project", PROJECTS)
def test_wrong_setting_is_named(project: str, tmp_path: Path) -> None:
    with compose_project(project, tmp_path) as compose:
        exit_code, output = compose.step("-e", "SERVE_THREADS=none", "serve")
    assert (exit_code, "SERVE_THREADS='none'" in output) == (2, True), output
    assert "Traceback" not in output


@pytest.mark.parametrize("project", TRAINED)
def test_server_without_a_model_is_never_healthy(project: str, tmp_path: Path) -> None:
    with compose_project(project, tmp_path) as compose:
        exit_code, output = compose("up", "--no-color", "--exit-code-from", "serve", "serve")
    assert (exit_code, f"No model of {project}" in output) == (1, True), output
