"""The extension for binary data of the Open Inference Protocol, by the bytes that clients send."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field

from echo_model import Serve
from mesh.serve.inference_tensors import read_texts, write_texts
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError

INFER = "/v2/models/shout/infer"
LENGTH = "Inference-Header-Content-Length"

TEXTS = b"\x02\x00\x00\x00hi\x03\x00\x00\x00\xe6\x97\xa5"
"""The texts "hi" and "日"."""

JSON = (
    b'{"id":"7","inputs":[{"name":"text","shape":[2],"datatype":"BYTES",'
    b'"parameters":{"binary_data_size":13}}],"parameters":{"binary_data_output":true}}'
)
"""What tritonclient sends before them where nothing is set."""

KSERVE = (
    b'{"id":"7","model_name":"shout","inputs":[{"name":"text","shape":[2],"datatype":"BYTES",'
    b'"parameters":{"binary_data_size":13}}]}'
)
"""What KServe's client sends before them; its default is that responses are JSON."""

KSERVE_BINARY = KSERVE[:-1] + b',"outputs":[{"name":"response","parameters":{"binary_data":true}}]}'
KSERVE_JSON = (
    '{"id":"7","model_name":"shout","inputs":'
    '[{"name":"text","shape":[2],"datatype":"BYTES","data":["hi","日"]}]}'
)


class Text(BaseModel):
    text: str = Field(max_length=50_000)


class Shout(ServedModel):
    name = "shout"
    request_model = Text
    response_model = Text

    def predict_batch(self, requests: Sequence[Text]) -> list[Text | Exception]:
        return [Text(text=request.text.upper()) for request in requests]

    def example_request(self, text: str) -> Text:
        return Text(text=text)


async def infer(
    client: httpx.AsyncClient, document: bytes, rest: bytes = b"", **headers: str
) -> httpx.Response:
    fields = {LENGTH: str(len(document)), **headers}
    return await client.post(INFER, content=document + rest, headers=fields)


def read(response: httpx.Response) -> tuple[Any, bytes]:
    """The JSON document of a response, and the bytes after it."""
    end = int(response.headers[LENGTH])
    return json.loads(response.content[:end]), response.content[end:]


@pytest.mark.parametrize("media_type", [None, "application/octet-stream", "application/json"])
def test_texts_and_responses_follow_the_json_document(serve: Serve, media_type: str | None) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            headers = {"Content-Type": media_type} if media_type else {}
            response = await infer(client, JSON, TEXTS, **headers)
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/octet-stream"
            document, binary = read(response)
            assert document == {
                "model_name": "shout",
                "model_version": "1",
                "id": "7",
                "outputs": [
                    {
                        "name": "response",
                        "shape": [2],
                        "datatype": "BYTES",
                        "parameters": {"binary_data_size": 35},
                    }
                ],
            }
            assert binary == (
                b'\x0d\x00\x00\x00{"text":"HI"}' + b'\x0e\x00\x00\x00{"text":"\xe6\x97\xa5"}'
            )

    asyncio.run(scenario())


def test_the_bytes_of_kserves_client(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            media_type = {"content-type": "application/octet-stream"}
            answers = [
                await infer(client, KSERVE, TEXTS, **media_type),
                await client.post(
                    INFER, content=KSERVE_JSON, headers={"content-type": "application/json"}
                ),
            ]
            for response in answers:
                assert LENGTH not in response.headers
                [tensor] = response.json()["outputs"]
                assert tensor["data"] == ['{"text":"HI"}', '{"text":"日"}']
            document, binary = read(await infer(client, KSERVE_BINARY, TEXTS, **media_type))
            assert document["outputs"][0]["parameters"] == {"binary_data_size": len(binary)}
            assert read_texts(binary, 2) == ['{"text":"HI"}', '{"text":"日"}']

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("parameters", "of_output", "is_binary"),
    [
        (None, None, False),
        ({"binary_data_output": True}, None, True),
        (None, {"binary_data": True}, True),
        ({"binary_data_output": True}, {"binary_data": False}, False),
        ({"binary_data_output": True}, {"classification": 2}, True),
    ],
)
def test_the_request_chooses_the_form_of_the_responses(
    serve: Serve, parameters: Any, of_output: Any, is_binary: bool
) -> None:
    async def scenario() -> None:
        tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}
        request: dict[str, Any] = {"inputs": [tensor]}
        if parameters:
            request["parameters"] = parameters
        if of_output:
            request["outputs"] = [{"name": "response", "parameters": of_output}]
        async with serve(Shout()) as client:
            response = await client.post(INFER, json=request)
            assert response.status_code == 200
            assert (LENGTH in response.headers) == is_binary
            if not is_binary:
                assert response.json()["outputs"][0]["data"] == ['{"text":"A"}']

    asyncio.run(scenario())


def test_a_body_without_a_document_is_one_text(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            response = await infer(client, b"", b"hello")
            assert response.json()["outputs"] == [
                {
                    "name": "response",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": ['{"text":"HELLO"}'],
                }
            ]

    asyncio.run(scenario())


def request(size: int | None, shape: Sequence[int] = (1,), **tensor: Any) -> bytes:
    parameters = {} if size is None else {"parameters": {"binary_data_size": size}}
    tensor = {"name": "text", "shape": shape, "datatype": "BYTES", **parameters, **tensor}
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.mark.parametrize(
    ("document", "rest", "error"),
    [
        (request(6), b"\x02\0\0\0a", "inputs[0].parameters.binary_data_size: 5 bytes follow"),
        (request(-1), b"", "inputs[0].parameters.binary_data_size: Input should be greater"),
        (request(5), b"\x02\0\0\0a", "inputs[0].data[0]: The bytes end before this text does"),
        (request(3), b"\x02\0\0", "inputs[0].data[0]: The bytes end before this text does"),
        (request(8), b"\x01\0\0\0a\x01\0\0", "inputs[0].data[1]: The bytes end before this"),
        (request(5), b"\xff\xff\xff\xffa", "inputs[0].data[0]: The bytes end before this"),
        (request(5), b"\x01\0\0\0\xe9", "inputs[0].data[0]: Byte 0 of the text is not UTF-8"),
        (request(5, [2]), b"\x01\0\0\0a", "inputs[0].shape: Must be [1] or [1, 1]"),
        (request(0, [0]), b"", "inputs[0].data: There are no texts"),
        (request(5, data=["a"]), b"\x01\0\0\0a", "inputs[0].data: Texts are either here or"),
        (request(None), b"\x01\0\0\0a", "inputs[0].data: Bytes follow the JSON document"),
        (request(None), b"", "inputs[0].data: Field required"),
        (
            request(12, [3]),
            b"\0\0\0\0" * 3,
            "inputs[0].data: These are more than 2 texts, and no more",
        ),
    ],
)
def test_malformed_tensors_are_refused_by_their_field(
    serve: Serve, document: bytes, rest: bytes, error: str
) -> None:
    async def scenario() -> None:
        async with serve(Shout(), queue_size=2) as client:
            response = await infer(client, document, rest)
            assert response.status_code == 422
            assert response.json()["error"].startswith(error)

    asyncio.run(scenario())


@pytest.mark.parametrize("length", ["-1", "x", "", "1e3", "²", "9" * 5000, "100000"])
def test_a_wrong_length_of_the_document_is_refused(serve: Serve, length: str) -> None:
    async def scenario() -> None:
        async with serve(Shout()) as client:
            headers = {LENGTH.encode(): length.encode()}
            response = await client.post(INFER, content=JSON + TEXTS, headers=headers)
            assert response.status_code == 400
            assert LENGTH in response.json()["error"]
            # Two readers would find different documents.
            twice = [(LENGTH, "3"), (LENGTH, "4")]
            assert (await client.post(INFER, content=JSON, headers=twice)).status_code == 400

    asyncio.run(scenario())


def test_marks_in_texts_are_no_elements_of_the_document(serve: Serve) -> None:
    async def scenario() -> None:
        text = b'[{,"' * 10_000
        async with serve(Shout()) as client:
            rest = write_texts([text])
            response = await infer(client, request(len(rest)), rest)
            assert response.status_code == 200
            # In the document itself they count.
            crowded = b'{"inputs":' + b"[" * 100_000
            response = await infer(client, crowded, b"")
            assert response.status_code == 422
            assert "elements" in response.json()["error"]

    asyncio.run(scenario())


def test_texts_stay_the_same_in_binary_form() -> None:
    texts = ["", "a", "日本", "\0", "x" * 70_000]
    assert read_texts(write_texts(text.encode() for text in texts), len(texts)) == texts


def test_many_texts_are_refused_before_they_are_read() -> None:
    # Ten million empty texts take no time and memory when two are allowed.
    with pytest.raises(ProblemError) as refused:
        read_texts(bytes(40_000_000), 2)
    assert refused.value.errors[0].loc == ["body", "inputs", 0, "data"]
