"""`mesh up sentiment` as a user runs it on an empty clone: real processes, real HTTP, real weights."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

PATIENCE = 1_500
PREDICT = "/v1/model/sentiment/predict"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server that the command started."""
    folder = tmp_path_factory.mktemp("workspace")
    log = folder / "log"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")}
    variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    # How good the model is does not matter here.
    variables["TRAIN_EPOCHS"] = "1"
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mesh.cli.mesh", "up", "sentiment", "--port", str(port)],
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + PATIENCE
    try:
        while "Ctrl-C stops the server" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_html_and_entities_are_answered(url: str) -> None:
    body = {
        "inputs": [
            {"document": "<p>Rome was lovely.</p>", "entities": [{"entity_text": "Rome"}]},
            {"document": "word " * 9_000},
        ]
    }
    response = httpx.post(f"{url}{PREDICT}", json=body, timeout=60)
    assert response.status_code == 200
    first, second = response.json()["outputs"]
    [rome] = first["entities"]
    assert rome["sentence_indexes"] == [0]
    assert {first["label"], second["label"]} <= {"negative", "neutral", "positive"}


def test_language_that_is_not_supported_is_refused(url: str) -> None:
    text = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
    declared = {"configuration": {"language": "de"}, "inputs": [{"document": text}]}
    for body in (declared, {"inputs": [{"document": text}]}):
        response = httpx.post(f"{url}{PREDICT}", json=body, timeout=60)
        assert response.status_code == 422
        assert "this model knows en" in response.json()["detail"]
