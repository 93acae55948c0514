"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/summarization/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_backend(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/summarization/bio").json()
    assert bio["model_name"] == "summarization"
    assert bio["model_card"]["backend"] in ("extractive", "chat")


def test_documents_are_summarised_in_order(client):
    text = "The tram depot charges forty trams overnight. The depot is solar-powered."
    body = {
        "configuration": {"desired_length": 8},
        "inputs": [{"document": text}, {"document": ""}],
    }
    first, empty = client.post(PREDICT, json=body).json()["outputs"]
    assert first["summary"]
    assert empty["summary"] == ""


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"inputs": 1}', 422),
        (b'{"configuration": {"language": "xx"}, "inputs": [{"document": "x"}]}', 422),
    ],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
