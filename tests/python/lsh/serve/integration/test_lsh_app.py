"""The model behind the HTTP app, in one process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from lsh.serve.model import LshModel
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings

STORED = json.loads((Path(__file__).parents[2] / "data" / "signatures.json").read_text())


async def predict(*bodies: dict[str, Any]) -> list[httpx.Response]:
    """Post requests at the same time, as soon as the app is ready."""
    app = create_app(LshModel(None), ServeSettings())
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        while (await client.get("/v1/ready")).status_code != 200:
            await asyncio.sleep(0)
        requests = (client.post("/v1/model/lsh/predict", json=body) for body in bodies)
        return await asyncio.gather(*requests)


def test_requests_at_the_same_time_get_the_stored_signatures():
    bodies = [
        {"configuration": case["configuration"], "inputs": [{"document": case["document"]}]}
        for case in STORED["cases"]
    ]
    responses = asyncio.run(predict(*bodies * 3))
    answers = [response.json() for response in responses]
    signatures = [answer["outputs"][0]["signature"] for answer in answers]
    assert signatures == [case["signature"] for case in STORED["cases"]] * 3
    assert {answer["signature_version"] for answer in answers} == {STORED["signature_version"]}


def test_unknown_language_is_a_problem_that_names_the_field():
    body = {"configuration": {"language": "tlh"}, "inputs": [{"document": "qapla"}]}
    [response] = asyncio.run(predict(body))
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["loc"] == ["body", "configuration", "language"]


def test_setting_without_bands_is_a_problem():
    body = {"configuration": {"threshold": 0.95, "num_perm": 16}, "inputs": [{"document": "x"}]}
    [response] = asyncio.run(predict(body))
    assert response.status_code == 422
    assert "raise num_perm" in response.json()["detail"]
