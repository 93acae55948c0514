"""`mesh up sentiment` as a user runs it on an empty clone: real processes, real HTTP, real weights."""

from collections.abc import Iterator

import httpx
import pytest

from mesh_command import printed_answer
from mesh_command import up

PREDICT = "/v1/model/sentiment/predict"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server that the command started."""
    workspace = tmp_path_factory.mktemp("workspace")
    # How good the model is does not matter here.
    with up("sentiment", workspace, TRAIN_EPOCHS="1") as (command, address):
        assert printed_answer(command)["outputs"]
        yield address


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
