"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/ner/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_version(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/ner/bio").json()
    assert bio["model_name"] == "ner"
    assert bio["model_card"]["model_type"] == "compiled"


def test_entities_are_where_the_response_says(client):
    document = "<p>Angela&nbsp;Merkel flew from <b>Berlin</b> to Paris.</p>"
    body = {"inputs": [{"document": document}, {"document": ""}]}
    first, empty = client.post(PREDICT, json=body).json()["outputs"]
    found = {entity["entity_text"]: entity for entity in first["entities"]}
    assert {"Berlin", "Paris"} <= set(found)
    assert document[found["Berlin"]["start"] : found["Berlin"]["end"]] == "Berlin"
    assert empty["entities"] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b'{"inputs": 1}', 422), (b'{"inputs": [{"document": 1}]}', 422)],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
