"""`mesh up ner` on an empty clone, with real processes, HTTP and weights."""

import httpx

from mesh_command import Served, printed_response

PREDICT = "/v1/model/ner/predict"


def test_printed_request_gets_the_printed_response(served: Served) -> None:
    assert printed_response(served.command)["outputs"]


def test_documents_of_all_kinds_get_responses(served: Served) -> None:
    documents = [
        "",
        "<p></p>",
        "🙂🙂",
        "word " * 9_000,
        "<p>Angela&nbsp;Merkel came to <b>Berlin</b>.</p>",
    ]
    body = {"inputs": [{"document": document} for document in documents]}
    response = httpx.post(f"{served.url}{PREDICT}", json=body, timeout=60)
    assert response.status_code == 200
    outputs = response.json()["outputs"]
    assert [output["entities"] for output in outputs[:2]] == [[], []]
    assert "Berlin" in {entity["entity_text"] for entity in outputs[-1]["entities"]}
    for document, output in zip(documents, outputs, strict=True):
        for entity in output["entities"]:
            assert 0 <= entity["start"] < entity["end"] <= len(document)


def test_language_that_is_not_supported_is_refused(served: Served) -> None:
    text = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
    declared = {"configuration": {"language": "de"}, "inputs": [{"document": text}]}
    for body in (declared, {"inputs": [{"document": text}]}):
        response = httpx.post(f"{served.url}{PREDICT}", json=body, timeout=60)
        assert response.status_code == 422
        assert "this model knows en" in response.json()["detail"]
