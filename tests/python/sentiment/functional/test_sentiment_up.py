"""`mesh up sentiment` on an empty clone, with real processes, HTTP and weights."""

import httpx

from mesh_command import Served, printed_response

PREDICT = "/v1/model/sentiment/predict"


def test_printed_request_gets_the_printed_response(served: Served) -> None:
    assert printed_response(served.command)["outputs"]


def test_html_and_entities_get_responses(served: Served) -> None:
    body = {
        "inputs": [
            {"document": "<p>Rome was lovely.</p>", "entities": [{"entity_text": "Rome"}]},
            {"document": "word " * 9_000},
        ]
    }
    response = httpx.post(f"{served.url}{PREDICT}", json=body, timeout=60)
    assert response.status_code == 200
    first, second = response.json()["outputs"]
    [rome] = first["entities"]
    assert rome["sentence_indexes"] == [0]
    assert {first["label"], second["label"]} <= {"negative", "neutral", "positive"}


def test_language_that_is_not_supported_is_refused(served: Served) -> None:
    text = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
    declared = {"configuration": {"language": "de"}, "inputs": [{"document": text}]}
    for body in (declared, {"inputs": [{"document": text}]}):
        response = httpx.post(f"{served.url}{PREDICT}", json=body, timeout=60)
        assert response.status_code == 422
        assert "this model knows en" in response.json()["detail"]


def test_text_that_cannot_be_read_is_refused_alone(served: Served) -> None:
    texts = ["\u16a0\u16a2", "\uff2c\uff4f\uff56\uff45\uff4c\uff59!", "Lovely!"]
    body = {
        "configuration": {"on_error": "item"},
        "inputs": [{"document": text} for text in texts],
    }
    response = httpx.post(f"{served.url}{PREDICT}", json=body, timeout=60)
    assert response.status_code == 200
    runes, styled, plain = response.json()["outputs"]
    assert "can't read most of the text" in runes["error"]
    assert styled == plain
