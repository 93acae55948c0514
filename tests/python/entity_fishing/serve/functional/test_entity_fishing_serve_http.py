"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/entity-fishing/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_backend(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/entity-fishing/bio").json()
    assert bio["model_name"] == "entity-fishing"
    assert bio["model_card"]["backend"] in ("embedded", "service")


def test_responses_are_in_the_order_of_the_documents(client):
    text = "Angela Merkel visited Paris, the capital of France."
    body = {"inputs": [{"document": text}, {"document": ""}]}
    first, empty = client.post(PREDICT, json=body).json()["outputs"]
    links = {entity["entity_text"]: entity["wikidata_id"] for entity in first["entities"]}
    assert links["Angela Merkel"] == "Q567"
    assert links["Paris"] == "Q90"
    assert empty["entities"] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"inputs": 1}', 422),
        (b'{"configuration": {"language": "xx"}, "inputs": [{"document": "x"}]}', 422),
        (
            b'{"inputs": [{"document": "x", "entities": [{"entity_text": "x", "start": 0, "end": 9}]}]}',
            422,
        ),
    ],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
