import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, Field

from echo_model import Serve
from mesh.core.errors import UsageError
from mesh.serve.model import ServedModel

INFER = "/v2/models/shout/infer"


class Text(BaseModel):
    text: str = Field(max_length=100)


class Shout(ServedModel):
    name = "shout"
    request_model = Text
    response_model = Text

    def predict_batch(self, requests: Sequence[Text]) -> list[Text | Exception]:
        return [
            (
                UsageError("Can't shout that.")
                if request.text == "usage"
                else Text(text=request.text.upper())
            )
            for request in requests
        ]

    def example_request(self, text: str) -> Text:
        return Text(text=text)


def infer_request(*texts: str, **changes: Any) -> dict[str, Any]:
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}
    return {"inputs": [tensor | changes]}


def test_health_and_metadata(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            for path, expected in {
                "/v2": {"name": "mesh", "version": "2", "extensions": []},
                "/v2/health/live": {"live": True},
                "/v2/health/ready": {"live": True, "ready": True},
                "/v2/models/shout/ready": {"name": "shout", "ready": True},
                "/v2/models/shout": {
                    "name": "shout",
                    "platform": "mesh",
                    "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
                    "outputs": [{"name": "response", "datatype": "BYTES", "shape": [-1]}],
                },
            }.items():
                response = await client.get(path)
                assert response.status_code == 200
                assert response.json() == expected

    asyncio.run(scenario())


def test_each_text_gets_its_response_in_its_place(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            request = {"id": "42", **infer_request("a", "é", "日")}
            response = (await client.post(INFER, json=request)).json()
            [tensor] = response.pop("outputs")
            assert response == {"model_name": "shout", "id": "42"}
            texts = [json.loads(document) for document in tensor.pop("data")]
            assert texts == [{"text": "A"}, {"text": "É"}, {"text": "日"}]
            assert tensor == {"name": "response", "shape": [3], "datatype": "BYTES"}
            # Clients leave the media type out.
            content = json.dumps(infer_request("a")).encode()
            assert "id" not in (await client.post(INFER, content=content)).json()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("request_body", "where"),
    [
        (infer_request("a", shape=[2]), ["body", "inputs", 0]),
        (infer_request("a", name="image"), ["body", "inputs", 0, "name"]),
        (infer_request("a", datatype="FP32"), ["body", "inputs", 0, "datatype"]),
        (infer_request(), ["body", "inputs", 0, "data"]),
        (infer_request("a", "x" * 101), ["body", "inputs", 0, "data", 1, "text"]),
        ({"inputs": []}, ["body", "inputs"]),
        ({**infer_request("a"), "outputs": [{"name": "x"}]}, ["body", "outputs", 0, "name"]),
    ],
)
def test_requests_that_do_not_fit(serve: Serve, request_body: Any, where: list[Any]) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            response = await client.post(INFER, json=request_body)
            assert response.status_code == 422
            problem = response.json()
            assert problem["errors"][0]["loc"] == where
            # The protocol's member for errors.
            assert problem["error"] == problem["detail"]

    asyncio.run(scenario())


def test_other_refusals(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout(), queue_size=2) as client:
            response = await client.post(INFER, json=infer_request("a", "b", "c"))
            assert response.status_code == 422
            assert response.json()["error"] == "3 texts are more than the 2 that may wait."
            response = await client.post(INFER, json=infer_request("a", "usage"))
            assert (response.status_code, response.json()["error"]) == (422, "Can't shout that.")
            headers = {"inference-header-content-length": "10"}
            response = await client.post(INFER, json=infer_request("a"), headers=headers)
            assert response.status_code == 415
            for path in ("/v2/models/x", "/v2/models/x/ready"):
                assert (await client.get(path)).status_code == 404
            client.app.state.availability.drain()  # type: ignore[attr-defined]
            for path in ("/v2/health/ready", "/v2/models/shout/ready"):
                response = await client.get(path)
                assert response.status_code == 503
                assert response.json()["error"] == "The server is shutting down."

    asyncio.run(scenario())
