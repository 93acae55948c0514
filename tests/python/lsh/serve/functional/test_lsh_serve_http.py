"""Requests to the running server at `MESH_TEST_URL`; the container `serve-functional` runs them."""

import os

import httpx
import pytest

URL = os.environ.get("MESH_TEST_URL", "")
PREDICT = "/v1/model/lsh/predict"

pytestmark = pytest.mark.skipif(
    not URL, reason="MESH_TEST_URL names no server; compose's serve-functional does"
)


@pytest.fixture(scope="module")
def client():
    with httpx.Client(base_url=URL, timeout=60) as client:
        yield client


def test_server_is_ready_and_names_its_signatures_version(client):
    assert client.get("/v1/ready").status_code == 200
    bio = client.get("/v1/model/lsh/bio").json()
    assert bio["model_name"] == "lsh"
    assert bio["model_card"]["signature_version"] >= 1


def test_edited_copy_shares_a_band_and_another_text_does_not(client):
    original = " ".join(f"word{number}" for number in range(200))
    texts = [original, f"Updated: {original}", original[::-1], ""]
    body = {"inputs": [{"document": text} for text in texts]}
    first, copy, other, empty = (
        output["signature"] for output in client.post(PREDICT, json=body).json()["outputs"]
    )
    assert set(enumerate(first)) & set(enumerate(copy))
    assert not set(enumerate(first)) & set(enumerate(other))
    assert empty is None


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b'{"inputs": 1}', 422), (b'{"inputs": [{"document": 1}]}', 422)],
)
def test_bad_requests_are_refused(client, content, status):
    response = client.post(PREDICT, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["status"]) == (status, status)
