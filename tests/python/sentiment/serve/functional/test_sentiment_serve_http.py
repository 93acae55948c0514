"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/sentiment/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_version(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/sentiment/bio").json()
    assert bio["model_name"] == "sentiment"
    assert bio["model_card"]["model_type"] == "compiled"


def test_clear_words_are_understood(client):
    documents = [
        "Wonderful, we loved every minute of it.",
        "Terrible, we hated every minute of it.",
    ]
    body = {"inputs": [{"document": document} for document in documents]}
    outputs = client.post(PREDICT, json=body).json()["outputs"]
    assert [output["label"] for output in outputs] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b'{"inputs": 1}', 422), (b'{"inputs": [{"document": 1}]}', 422)],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
