"""Triton's clients, with their defaults, against a running server: over HTTP and over gRPC."""

import json
import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.grpc import model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException

from mesh.serve.grpc import messages_pb2 as messages

from .conftest import WordsServer

TEXTS = ["Trams run on rails.", "日本", ""]
METADATA: dict[str, Any] = {
    "name": "words",
    "versions": ["1"],
    "platform": "mesh",
    "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
    "outputs": [{"name": "response", "datatype": "BYTES", "shape": [-1]}],
}
CONFIGURATION: dict[str, Any] = {
    "name": "words",
    "platform": "mesh",
    "backend": "mesh",
    "max_batch_size": 0,
    "input": [{"name": "text", "data_type": "TYPE_STRING", "dims": [-1]}],
    "output": [{"name": "response", "data_type": "TYPE_STRING", "dims": [-1]}],
}


class Triton:
    """One of the clients."""

    def __init__(self, server: WordsServer, protocol: str) -> None:
        self.is_http = protocol == "http"
        self.module: Any = tritonclient.http if self.is_http else tritonclient.grpc
        address = server.http if self.is_http else server.grpc
        self.client = self.module.InferenceServerClient(address)

    def get(self, name: str, *arguments: str) -> Any:
        """What a method returns, as JSON."""
        method = getattr(self.client, f"get_{name}")
        found = method(*arguments) if self.is_http else method(*arguments, as_json=True)
        if self.is_http or name != "model_config":
            return found if self.is_http else _numbers(found)
        return _numbers(found)["config"]

    def input(self, texts: list[str], shape: list[int], **tensor: str) -> Any:
        """A tensor of texts."""
        name, datatype = tensor.get("name", "text"), tensor.get("datatype", "BYTES")
        made = self.module.InferInput(name, shape, datatype)
        array = np.array([each.encode() for each in texts], dtype=object)
        return made.set_data_from_numpy(array.reshape(shape))

    def infer(self, *inputs: Any, **options: Any) -> Any:
        """The result of inference."""
        return self.client.infer(options.pop("model", "words"), list(inputs), **options)


def _numbers(found: Any) -> Any:
    """JSON of messages, in which numbers of 64 bits are texts."""
    if isinstance(found, dict):
        return {name: _numbers(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_numbers(each) for each in found]
    return int(found) if found == "-1" else found


@pytest.fixture(params=["http", "grpc"])
def triton(server: WordsServer, request: pytest.FixtureRequest) -> Iterator[Triton]:
    made = Triton(server, request.param)
    yield made
    made.client.close()


def test_server_and_model_are_described(triton: Triton) -> None:
    client = triton.client
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("words")
    assert client.is_model_ready("words", "1")
    server = triton.get("server_metadata")
    assert server["name"] == "mesh"
    assert "binary_tensor_data" in server["extensions"]
    for version in ("", "1"):
        assert triton.get("model_metadata", "words", version) == METADATA
        # gRPC leaves zeros out.
        configuration = {"max_batch_size": 0, **triton.get("model_config", "words", version)}
        assert configuration == CONFIGURATION
    index = triton.get("model_repository_index")
    [listed] = index if triton.is_http else index["models"]
    expected = {"name": "words", "version": "1", "state": "READY", "reason": ""}
    assert {"reason": "", **listed} == expected


@pytest.mark.parametrize("shape", [[3], [3, 1]])
def test_texts_have_responses(triton: Triton, shape: list[int]) -> None:
    documents = [*TEXTS[:2], "one two"]
    tensor = triton.input(documents, shape)
    outputs = [None, [triton.module.InferRequestedOutput("response")]]
    for wanted in outputs:
        result = triton.infer(tensor, outputs=wanted, request_id="7", model_version="1")
        found = result.as_numpy("response")
        assert list(found.shape) == shape
        words = [json.loads(each)["outputs"][0]["words"] for each in found.flatten()]
        assert words == [4, 1, 2]
        response = result.get_response()
        assert (response["id"] if triton.is_http else response.id) == "7"


def test_many_texts_at_once_by_its_own_threads(triton: Triton) -> None:
    tensor = triton.input(["one two"], [1])
    if triton.is_http:
        results = [triton.client.async_infer("words", [tensor]) for _ in range(4)]
        found = [each.get_result() for each in results]
    else:
        ready: queue.Queue[Any] = queue.Queue()
        for _ in range(4):
            triton.client.async_infer(
                "words", [tensor], lambda result, error: ready.put(error or result)
            )
        found = [ready.get(timeout=60) for _ in range(4)]
    for each in found:
        [text] = each.as_numpy("response")
        assert json.loads(text)["outputs"] == [{"words": 2}]


@pytest.mark.parametrize(
    ("tensor", "options", "message"),
    [
        ({"name": "txt"}, {}, "inputs[0].name: Input should be 'text'"),
        ({}, {"model": "other"}, "The model 'other' is not served here; 'words' is."),
        ({}, {"model_version": "2"}, "The version '2' of words is not served here; '1' is."),
        ({"texts": [""]}, {}, "It has no words"),
        ({"texts": ["a"] * 5}, {}, "and no more than 4 may wait"),
        ({"texts": ["a", "b"], "shape": [1, 2]}, {}, "inputs[0].shape: Must be [2] or [2, 1]"),
    ],
)
def test_what_is_wrong_is_told(
    triton: Triton, tensor: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    given = {"texts": ["a"], **tensor}
    given.setdefault("shape", [len(given["texts"])])
    with pytest.raises(InferenceServerException) as refused:
        triton.infer(triton.input(**given), **options)
    assert message in refused.value.message()


def test_two_inputs_or_none_are_refused(triton: Triton) -> None:
    tensor = triton.input(["a"], [1])
    for inputs in ([tensor, tensor], []):
        with pytest.raises(InferenceServerException, match=r"inputs: List should have at"):
            triton.infer(*inputs)


def test_what_is_not_there_is_refused(triton: Triton) -> None:
    for name in ("get_inference_statistics", "get_log_settings", "get_trace_settings"):
        with pytest.raises(InferenceServerException):
            getattr(triton.client, name)()


def test_messages_are_those_of_triton() -> None:
    """Each field of ours is a field there, of the same number and kind."""
    theirs = {
        **service_pb2.DESCRIPTOR.message_types_by_name,
        **model_config_pb2.DESCRIPTOR.message_types_by_name,
    }
    own = {"HealthCheckRequest", "HealthCheckResponse", "Status", "RetryInfo", "BadRequest"}
    ours = messages.DESCRIPTOR.message_types_by_name
    assert own <= set(ours)
    assert len(ours) > len(own)
    for name in set(ours) - own:
        _require_same(ours[name], theirs[name])


def _require_same(ours: Any, theirs: Any) -> None:
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert (field.number, field.type, field.is_repeated) == (
            other.number,
            other.type,
            other.is_repeated,
        )
    for nested in ours.nested_types:
        _require_same(nested, theirs.nested_types_by_name[nested.name])
    for kind in ours.enum_types:
        other = theirs.enum_types_by_name[kind.name].values_by_name
        assert all(other[each.name].number == each.number for each in kind.values)
