"""Every project in containers: life cycle, server on a network, tests inside the images."""

import http.client
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from containers.functional.compose_project import (
    USER,
    Life,
    components,
    compose_project,
    docker,
    each_of,
    image,
    inspect,
    life_of,
    needs_images,
    wait_until,
)
from mesh.core.project import find_projects

pytestmark = needs_images()

PROJECTS = each_of(project.name for project in find_projects())
WITH_MODEL = each_of(
    project.name for project in find_projects() if "serve:download" in project.steps
)
KINDS = ("unit", "integration", "functional")
AGAIN = {
    "download-model": "is already in outputs",
    "serve-download-model": "is up to date|every file verified",
}
"""Messages of services on their second run, if not that all is up to date."""
# Sends the example of the server's documentation.
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


@pytest.fixture(scope="module", params=PROJECTS)
def life(request: pytest.FixtureRequest) -> Life:
    return life_of(request.param, request)


@pytest.fixture
def trained_life(life: Life) -> Life:
    if life.compose.project.kind == "code-only":
        pytest.skip(f"the code of {life.compose.project.name} is its model")
    return life


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_server_runs_without_rights(life: Life) -> None:
    server = inspect(life.server)
    owner = USER if os.getuid() == 0 else os.getuid()
    group = USER if os.getuid() == 0 else os.getgid()
    assert server["Config"]["User"] == f"{owner}:{group}"
    assert server["HostConfig"]["ReadonlyRootfs"]
    assert server["HostConfig"]["CapDrop"] == ["ALL"]


def test_second_container_gets_a_response_to_the_documented_example(life: Life) -> None:
    exchange = json.loads(life.compose.ask(EXAMPLE, life.compose.project.name))
    outputs = exchange["answered"]["outputs"]
    assert len(outputs) == len(exchange["asked"]["inputs"]) > 0
    assert all(outputs)


def test_stopped_server_completes_a_request_that_it_has_begun_to_receive(life: Life) -> None:
    exchange = json.loads(life.compose.ask(EXAMPLE, life.compose.project.name))
    body = json.dumps(exchange["asked"]).encode()
    models = f"{life.compose.workspace / 'models'}:/workspace/models:ro"
    # Long enough for the rest of the body to arrive.
    options = ["--env", "SERVE_DRAIN_DELAY_SECONDS=5", "--volume", models]
    name = image(life.compose.project.name, "serve")
    container = docker("run", "--detach", "--publish", "127.0.0.1::8000", *options, name).strip()
    try:
        [binding] = inspect(container)["NetworkSettings"]["Ports"]["8000/tcp"]
        address = f"127.0.0.1:{binding['HostPort']}"
        wait_until(lambda: ready_status(address) == 200, container)
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.putrequest("POST", f"/v1/model/{life.compose.project.name}/predict")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        # The other one is this question itself.
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


def test_trained_model_was_validated(trained_life: Life) -> None:
    compose = trained_life.compose
    report = read(compose.workspace / "outputs" / compose.project.name / "validate" / "report.json")
    assert report["passed"]
    assert report["cases"]


def test_card_names_the_code_of_the_image(trained_life: Life) -> None:
    compose = trained_life.compose
    [card] = (compose.workspace / "models").glob("*/model_card.json")
    labels = inspect(image(compose.project.name, "compile"))["Config"]["Labels"]
    assert read(card)["code_revision"] == labels["org.opencontainers.image.revision"]


def test_second_run_makes_nothing(life: Life) -> None:
    made = set(life.compose.workspace.rglob("*"))
    for service in life.outputs:
        exit_code, output = life.compose.make(service)
        assert exit_code == 0, output
        assert re.search(AGAIN.get(service, "is up to date"), output), output
    assert set(life.compose.workspace.rglob("*")) == made


def test_load_test_passes_and_its_results_are_kept(life: Life) -> None:
    project, tag = life.compose.project, life.compose.environment["IMAGE_TAG"]
    # Responses must be right, however slow this machine is.
    criterion = {
        "name": "failures_total",
        "threshold": 0,
        "endpoint_type": "POST",
        "endpoint_url": f"/v1/model/{project.name}/predict",
    }
    settings = ["-e", f"LOAD_CRITERIA={json.dumps([criterion])}", "-e", "LOAD_RUN_SECONDS=2"]
    exit_code, output = life.compose.step(*settings, "serve-load")
    assert (exit_code, "The load test has passed." in output) == (0, True), output
    [results] = (life.compose.workspace / "models").glob(f"*/{tag}/test_results")
    specification = read(results / "serve_image_spec.json")
    assert specification["image_tag"] == tag
    assert specification["image_digest"] in digests(image(project.name, "serve"))
    exit_code, output = life.compose.step("serve-upload-results")
    if project.kind == "code-only":
        assert (exit_code, "no version in the registry" in output) == (2, True), output
    else:
        attached = f"{results.parent.parent.name} has test_results/{tag}/load_test_report.json now"
        assert (exit_code, attached in output) == (0, True), output


def digests(name: str) -> set[str]:
    """The id of an image, and its digests in registries."""
    found = inspect(name)
    return {found["Id"], *(digest.rpartition("@")[2] for digest in found["RepoDigests"])}


def test_backfill_predicts_in_its_image(life: Life) -> None:
    outputs = life.compose.workspace / "outputs"
    documents = outputs / "documents.jsonl"
    documents.write_text('{"text": "Marie Curie was born in Warsaw."}\n{"text": ""}\n')
    flags = ("--input=outputs/documents.jsonl", "--output=outputs/backfill", "--workers=1")
    exit_code, output = life.compose.step("backfill", "backfill", *flags)
    assert exit_code == 0, output
    [manifest] = outputs.glob("backfill/*/manifest.json")
    found = json.loads(manifest.read_text())
    assert (found["rows"], found["rejected"]) == (1, 1)


def test_tests_pass_in_the_images(life: Life) -> None:
    project = life.compose.project
    folder = Path("tests/python") / project.package
    services = [
        f"{component}-{kind}"
        for component in components()[project.name]
        for kind in KINDS
        if (folder / component / kind).is_dir()
    ]
    assert "serve-functional" in services
    for service in services:
        exit_code, output = life.compose.step(service)
        assert exit_code == 0, output
        [summary] = re.findall(r"^=+ (.*) in [0-9.]+s", output, re.MULTILINE)
        assert re.fullmatch(r"[0-9]+ passed", summary), output


def test_steps_leave_their_files_to_the_caller(life: Life) -> None:
    owner = USER if os.getuid() == 0 else os.getuid()
    assert {path.stat().st_uid for path in life.compose.workspace.rglob("*")} == {owner}


@pytest.mark.parametrize("project", PROJECTS)
def test_wrong_setting_is_named(project: str, tmp_path: Path) -> None:
    with compose_project(project, tmp_path) as compose:
        exit_code, output = compose.step("-e", "SERVE_THREADS=none", "serve")
    assert (exit_code, "SERVE_THREADS='none'" in output) == (2, True), output
    assert "Traceback" not in output


@pytest.mark.parametrize("project", WITH_MODEL)
def test_server_without_a_model_is_never_healthy(project: str, tmp_path: Path) -> None:
    with compose_project(project, tmp_path) as compose:
        exit_code, output = compose("up", "--no-color", "--exit-code-from", "serve", "serve")
    assert exit_code == 1, output
    missing = (
        f"No model of {project} is in models|{project} needs an encoder, and none is in models"
    )
    assert re.search(missing, output), output
