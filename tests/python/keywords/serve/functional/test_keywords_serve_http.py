"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/keywords/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_version(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/keywords/bio").json()
    assert bio["model_name"] == "keywords"
    assert bio["model_card"]["model_type"] == "compiled"


def test_keywords_come_from_the_document(client):
    text = "The tram depot charges forty trams overnight; the depot is solar-powered."
    body = {"configuration": {"top_n": 3}, "inputs": [{"document": text}, {"document": ""}]}
    first, empty = client.post(PREDICT, json=body).json()["outputs"]
    tokens = [item["keyword_token"] for item in first["predicted_document"]]
    assert len(tokens) == 3
    assert set(tokens) <= {"tram", "trams", "depot", "charges", "solar", "powered", "overnight"}
    assert empty["predicted_document"] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b'{"inputs": 1}', 422), (b'{"inputs": [{"document": 1}]}', 422)],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
