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
INDEX = "/v2/repository/index"
MODEL = ("/v2/models/shout", "/v2/models/shout/versions/1")
METADATA = {
    "name": "shout",
    "versions": ["1"],
    "platform": "mesh",
    "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
    "outputs": [{"name": "response", "datatype": "BYTES", "shape": [-1]}],
}
CONFIGURATION = {
    "name": "shout",
    "platform": "mesh",
    "backend": "mesh",
    "max_batch_size": 0,
    "input": [{"name": "text", "data_type": "TYPE_STRING", "dims": [-1]}],
    "output": [{"name": "response", "data_type": "TYPE_STRING", "dims": [-1]}],
}


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
                "/v2": {
                    "name": "mesh",
                    "version": "2",
                    "extensions": [
                        "binary_tensor_data",
                        "model_configuration",
                        "model_repository",
                    ],
                },
                "/v2/health/live": {"live": True},
                "/v2/health/ready": {"live": True, "ready": True},
                **{f"{path}/ready": {"name": "shout", "ready": True} for path in MODEL},
                **dict.fromkeys(MODEL, METADATA),
                **{f"{path}/config": CONFIGURATION for path in MODEL},
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
            assert response == {"model_name": "shout", "model_version": "1", "id": "42"}
            texts = [json.loads(document) for document in tensor.pop("data")]
            assert texts == [{"text": "A"}, {"text": "É"}, {"text": "日"}]
            assert tensor == {"name": "response", "shape": [3], "datatype": "BYTES"}
            # Clients leave the media type out.
            content = json.dumps(infer_request("a")).encode()
            assert "id" not in (await client.post(INFER, content=content)).json()
            # Triton's asynchronous client says of all bodies that they are bytes.
            headers = {"content-type": "application/octet-stream"}
            assert (await client.post(INFER, content=content, headers=headers)).status_code == 200
            assert (await client.post(INDEX, headers=headers)).status_code == 200
            of_version = await client.post(f"{MODEL[1]}/infer", content=content)
            assert of_version.json()["model_version"] == "1"

    asyncio.run(scenario())


@pytest.mark.parametrize("data", [["a", "b"], [["a"], ["b"]]])
@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_responses_have_the_shape_of_the_texts(
    serve: Serve, data: list[Any], shape: list[int]
) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            request = infer_request("a", "b", data=data, shape=shape)
            [tensor] = (await client.post(INFER, json=request)).json()["outputs"]
            assert tensor["shape"] == shape
            assert [json.loads(each) for each in tensor["data"]] == [{"text": "A"}, {"text": "B"}]

    asyncio.run(scenario())


def test_the_index_lists_the_model(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            listed = {"name": "shout", "version": "1", "state": "READY", "reason": ""}
            # Triton's client sends no body, or what it asks for.
            for content in (b"", b"{}", b'{"ready": true}'):
                assert (await client.post(INDEX, content=content)).json() == [listed]
            client.app.state.availability.drain()  # type: ignore[attr-defined]
            reason = "The server is shutting down."
            listed |= {"state": "UNAVAILABLE", "reason": reason}
            assert (await client.post(INDEX)).json() == [listed]
            assert (await client.post(INDEX, json={"ready": True})).json() == []
            assert (await client.post(INDEX, json={"ready": "no?"})).status_code == 422
            too_large = await client.post(INDEX, content=b" " * 100_000)
            assert too_large.status_code == 413

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("request_body", "where"),
    [
        (infer_request("a", shape=[2]), ["body", "inputs", 0, "shape"]),
        (infer_request("a", shape=[1, 2]), ["body", "inputs", 0, "shape"]),
        (infer_request("a", shape=[]), ["body", "inputs", 0, "shape"]),
        (infer_request("a", data=[["a"], ["b", "c"]]), ["body", "inputs", 0, "data", 0]),
        (infer_request("a", data=None), ["body", "inputs", 0, "data"]),
        (
            infer_request("a", parameters={"shared_memory_region": "r"}),
            ["body", "inputs", 0, "parameters", "shared_memory_region"],
        ),
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
            # KServe's client reads no other media type.
            assert response.headers["content-type"] == "application/json"
            assert problem["errors"][0]["loc"] == where
            # The protocol's member for errors, which is all that its clients show.
            field = "".join(f"[{part}]" if part in (0, 1) else f".{part}" for part in where[1:])
            message = problem["errors"][0]["msg"]
            assert problem["error"].startswith(f"{field.removeprefix('.')}: {message}")

    asyncio.run(scenario())


def test_all_wrong_fields_are_in_the_error(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            tensor = {"name": "image", "shape": [1], "datatype": "FP32", "data": ["a"]}
            problem = (await client.post(INFER, json={"inputs": [tensor]})).json()
            assert problem["error"] == (
                "inputs[0].name: Input should be 'text'; inputs[0].datatype: Input should be 'BYTES'"
            )
            assert problem["detail"] == "The request has 2 errors, see `errors`."

    asyncio.run(scenario())


def test_other_refusals(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout(), queue_size=2) as client:
            response = await client.post(INFER, json=infer_request("a", "b", "c"))
            assert response.status_code == 422
            assert response.json()["error"] == (
                "inputs[0].data: These are 3 texts, and no more than 2 may wait"
            )
            response = await client.post(INFER, json=infer_request("a", "usage"))
            assert (response.status_code, response.json()["error"]) == (422, "Can't shout that.")
            for path in ("/v2/models/x", "/v2/models/x/ready", "/v2/models/x/config"):
                assert (await client.get(path)).status_code == 404
            for path in ("", "/ready", "/config"):
                response = await client.get(f"/v2/models/shout/versions/2{path}")
                assert response.status_code == 404
                assert response.json()["error"] == (
                    "The version '2' of shout is not served here; '1' is."
                )
            client.app.state.availability.drain()  # type: ignore[attr-defined]
            for path in ("/v2/health/ready", "/v2/models/shout/ready"):
                response = await client.get(path)
                assert response.status_code == 503
                assert response.json()["error"] == "The server is shutting down."

    asyncio.run(scenario())
