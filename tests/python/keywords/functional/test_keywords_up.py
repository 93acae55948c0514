"""`mesh up keywords` and other commands, with real processes, HTTP and weights."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from mesh_command import PATIENCE, Command, Served, free_port, printed_response, run
from network_calls import contacted, missing


@pytest.fixture
def workspace(served: Served) -> Path:
    return served.workspace


def test_printed_request_gets_the_printed_response(served: Served) -> None:
    [output] = printed_response(served.command)["outputs"]
    assert output["predicted_document"]


def test_documents_of_all_kinds_get_responses(served: Served) -> None:
    documents = ["", "word", "the and of", "🙂🙂", "北京是中国的首都。", "pipe organ " * 9_000]
    body = {"inputs": [{"document": document} for document in documents]}
    response = httpx.post(f"{served.url}/v1/model/keywords/predict", json=body, timeout=60)
    assert response.status_code == 200
    outputs = response.json()["outputs"]
    tokens = [
        [item["keyword_token"] for item in output["predicted_document"]] for output in outputs
    ]
    assert tokens == [[], ["word"], [], [], tokens[4], tokens[-1]]
    assert set(tokens[4]) == {"北京", "中国", "首都"}
    assert set(tokens[-1]) == {"pipe", "organ"}
    assert [output["truncated"] for output in outputs] == [False] * 5 + [True]


def test_configuration_is_applied(served: Served) -> None:
    text = "Die Hefe vergärt den Zucker, und die Hefe wächst im warmen Labor am schnellsten."
    body = {
        "configuration": {"stop_words": "german", "keyphrase_ngram_range": [1, 2], "top_n": 3},
        "inputs": [{"document": text}],
    }
    response = httpx.post(f"{served.url}/v1/model/keywords/predict", json=body, timeout=60)
    [output] = response.json()["outputs"]
    tokens = [item["keyword_token"] for item in output["predicted_document"]]
    assert len(tokens) == 3
    assert not {"die", "und", "den"} & {word for token in tokens for word in token.split()}


def test_wrong_configuration_names_its_field(served: Served) -> None:
    body = {"configuration": {"top_n": 0}, "inputs": [{"document": "text"}]}
    response = httpx.post(f"{served.url}/v1/model/keywords/predict", json=body)
    assert response.status_code == 422
    assert "top_n" in response.text


def test_bio_names_the_version_it_was_made_from(served: Served) -> None:
    bio = httpx.get(f"{served.url}/v1/model/keywords/bio").json()
    assert bio["model_name"] == "keywords"
    assert bio["model_card"]["trained_version"] == "KEYWORDS-TRAINED-1"


def test_predicting_without_a_server_gives_the_same_response(
    served: Served, workspace: Path
) -> None:
    text = "Glaciers carve valleys as they creep towards the sea."
    exit_code, output = run(workspace, "predict", "keywords", text)
    assert exit_code == 0
    over_http = httpx.post(
        f"{served.url}/v1/model/keywords/predict", json={"inputs": [{"document": text}]}, timeout=60
    )
    assert json.loads(output[output.index("{") :]) == over_http.json()


def test_port_in_use_is_a_sentence_before_any_work(served: Served, workspace: Path) -> None:
    port = served.url.rpartition(":")[2]
    exit_code, output = run(workspace, "up", "keywords", "--port", port)
    assert exit_code == 1
    assert f"error: The server can't listen on 127.0.0.1:{port}" in output
    assert "train:train" not in output


def test_registry_commands(served: Served, workspace: Path) -> None:
    assert run(workspace, "registry", "alias", "KEYWORDS-COMPILED-1", "prod")[0] == 0
    exit_code, output = run(workspace, "registry", "list", "--json")
    versions = json.loads(output[output.index("[\n") :])
    assert [(version["reference"], version["aliases"]) for version in versions] == [
        ("KEYWORDS-COMPILED-1", ["prod"]),
        ("KEYWORDS-TRAINED-1", []),
    ]
    assert exit_code == 0
    assert run(workspace, "registry", "show", "KEYWORDS-COMPILED:prod")[0] == 0
    exit_code, output = run(workspace, "registry", "verify")
    assert (exit_code, output.count("intact")) == (0, 2)


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_no_other_machine_is_contacted_or_looked_up(served: Served) -> None:
    # ONNX Runtime would do so seconds after the server's start.
    metrics = httpx.get(f"{served.url}/metrics").text
    [started] = re.findall(r"^process_start_time_seconds (.*)", metrics, re.MULTILINE)
    time.sleep(max(0, float(started) + 6 - time.time()))
    assert "connect(" in served.calls.read_text()
    assert contacted(served.calls) == []


def test_second_start_makes_nothing(served: Served, workspace: Path) -> None:
    second = Command(workspace, "up", "keywords", "--port", str(free_port()))
    second.wait_for("Ctrl-C stops the server")
    assert len(re.findall("up to date", second.output)) >= 3
    assert "registered" not in second.output
    assert second.stop(signal.SIGTERM) == 0


def test_server_ends_with_the_command_that_is_terminated_early(
    served: Served, workspace: Path
) -> None:
    port = free_port()
    command = Command(workspace, "up", "keywords", "--port", str(port))
    command.wait_for(f"Serving keywords at http://127.0.0.1:{port}")
    assert command.stop(signal.SIGTERM) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/v1/live")


def test_commands_read_the_env_file(served: Served, workspace: Path) -> None:
    folder = workspace / "elsewhere"
    folder.mkdir()
    settings = folder / "my.env"
    settings.write_text(
        f"MESH_WORKSPACE={workspace}\nMESH_REGISTRY_URI=sqlite:///{workspace}/.mesh/registry.db\n"
        f"MESH_REGISTRY_ARTIFACTS={workspace}/.mesh/artifacts\n"
    )
    exit_code, output = run(folder, "predict", "keywords", "text", MESH_ENV_FILE=str(settings))
    assert exit_code == 0, output
    exit_code, output = run(folder, "registry", "list", MESH_ENV_FILE=str(settings))
    assert "KEYWORDS-COMPILED-1" in output
    assert not (folder / ".mesh").exists()


@pytest.mark.parametrize(
    ("document", "sentence"), [(b"x" * 200_001, "can't be predicted"), (b"\xff", "not UTF-8")]
)
def test_text_that_can_not_be_predicted_is_a_sentence(
    served: Served, workspace: Path, document: bytes, sentence: str
) -> None:
    (workspace / "document").write_bytes(document)
    with (workspace / "document").open("rb") as standard_input:
        refused = subprocess.run(
            [sys.executable, "-m", "mesh.cli.mesh", "predict", "keywords", "-"],
            cwd=workspace,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=standard_input,
            capture_output=True,
            timeout=PATIENCE,
        )
    assert refused.returncode == 2
    assert sentence in refused.stderr.decode()
    assert b"Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code", "sentence"),
    [
        (("up", "keyword"), {}, 2, "did you mean keywords?"),
        (("run", "keywords", "--from", "tracing"), {}, 2, "'tracing' isn't a step"),
        (
            ("run", "keywords"),
            {"MESH_REGISTRY_URI": "sqlite:////proc/no/registry.db"},
            1,
            "/proc/no",
        ),
        (("run", "keywords"), {"MESH_REGISTRY_BACKEND": "neptun"}, 2, "'neptun'"),
        (
            ("run", "keywords", "--to", "train"),
            {"TRAIN_BASE_MODEL": "missing/folder"},
            1,
            "missing/folder",
        ),
        (
            ("run", "keywords", "--from", "trace"),
            {"COMPILE_BACKEND": "tensorrt"},
            2,
            "COMPILE_BACKEND='tensorrt'",
        ),
        (
            ("run", "keywords", "--from", "trace"),
            {"COMPILE_BACKND": "onnx"},
            2,
            "did you mean COMPILE_BACKEND?",
        ),
        (
            ("run", "keywords", "--to", "train"),
            {"TRAIN_DEVICE": "cuda"},
            1,
            "TRAIN_DEVICE=cuda can't",
        ),
        (("up", "keywords"), {"SERVE_DEVICE": "cuda"}, 1, "needs CUDAExecutionProvider"),
        (("up", "keywords"), {"SERVE_DEVICE": "gpu"}, 2, "'gpu' is no device"),
        (("registry", "show", "KEYWORDS-COMPILED-9"), {}, 1, "KEYWORDS-COMPILED"),
        (("registry", "show", "nonsense"), {}, 2, "'nonsense'"),
        (("predict", "keywords", "x"), {"MESH_WORKSPACE": "nowhere"}, 1, "No model of keywords"),
    ],
)
def test_mistakes_are_sentences_without_a_traceback(
    workspace: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    exit_code: int,
    sentence: str,
) -> None:
    actual, output = run(workspace, *arguments, **environment)
    assert sentence in output
    assert "Traceback" not in output
    assert actual == exit_code
