"""The methods of the Open Inference Protocol over gRPC, as paths of an ASGI app.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
"""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from pydantic import BaseModel, ValidationError
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mesh.serve.availability import Availability
from mesh.serve.grpc import messages_pb2 as messages
from mesh.serve.grpc.fields import read_message
from mesh.serve.grpc.health import Health
from mesh.serve.grpc.names import HEALTH, SERVICE
from mesh.serve.inference_schemas import MAX_PARAMETER, OUTPUT, InferRequest
from mesh.serve.inference_service import InferenceService
from mesh.serve.inference_tensors import (
    check_shape,
    read_text,
    read_texts,
    refuse_shared_memory,
    too_many,
    write_texts,
    wrong,
)
from mesh.serve.predict import Predictor
from mesh.serve.problems import validation_problem
from mesh.serve.request_limits import SPARE_ELEMENTS, largest_request

_RAW = ("body", "raw_input_contents")
_TEXTS = ("body", "inputs", 0, "contents", "bytes_contents")
_SHARED_MEMORY = "shared_memory_region"


class Methods:
    """The handlers of the methods."""

    def __init__(
        self,
        service: InferenceService,
        availability: Availability,
        predictor: Predictor,
        health: Health,
    ) -> None:
        self._service = service
        self._availability = availability
        self._predictor = predictor
        self._health = health
        self._most_fields = largest_request(InferRequest).elements

    def routes(self) -> list[Route]:
        """All paths and their handlers."""
        return [
            self._route(SERVICE, "ServerLive", messages.ServerLiveRequest, self._live),
            self._route(SERVICE, "ServerReady", messages.ServerReadyRequest, self._ready),
            self._route(SERVICE, "ModelReady", messages.ModelReadyRequest, self._model_ready),
            self._route(SERVICE, "ServerMetadata", messages.ServerMetadataRequest, self._server),
            self._route(SERVICE, "ModelMetadata", messages.ModelMetadataRequest, self._model),
            self._route(SERVICE, "ModelConfig", messages.ModelConfigRequest, self._configuration),
            self._route(SERVICE, "RepositoryIndex", messages.RepositoryIndexRequest, self._index),
            self._route(HEALTH, "Check", messages.HealthCheckRequest, self._health.check),
            Route(f"/{SERVICE}/ModelInfer", _Endpoint(self._infer), methods=["POST"]),
        ]

    def _route(
        self,
        service: str,
        name: str,
        kind: type[Message],
        respond: Callable[[Any], Message],
    ) -> Route:
        def read(body: bytes) -> Message:
            return read_message(kind, body, SPARE_ELEMENTS)

        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            message = await self._predictor.message(scope, receive, read)
            await _send(send, respond(message))

        return Route(f"/{service}/{name}", _Endpoint(endpoint), methods=["POST"])

    def _live(self, _: Message) -> Message:
        return messages.ServerLiveResponse(live=True)

    def _ready(self, _: Message) -> Message:
        return messages.ServerReadyResponse(ready=self._availability.is_ready)

    def _model_ready(self, request: messages.ModelReadyRequest) -> Message:
        self._require_model(request.name, request.version)
        return messages.ModelReadyResponse(ready=self._availability.is_ready)

    def _server(self, _: Message) -> Message:
        return ParseDict(_members(self._service.server()), messages.ServerMetadataResponse())

    def _model(self, request: messages.ModelMetadataRequest) -> Message:
        self._require_model(request.name, request.version)
        return ParseDict(_members(self._service.metadata()), messages.ModelMetadataResponse())

    def _configuration(self, request: messages.ModelConfigRequest) -> Message:
        self._require_model(request.name, request.version)
        config = {"config": _members(self._service.configuration())}
        return ParseDict(config, messages.ModelConfigResponse())

    def _index(self, request: messages.RepositoryIndexRequest) -> Message:
        models = {"models": _members(self._service.index(ready=request.ready))}
        return ParseDict(models, messages.RepositoryIndexResponse())

    async def _infer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Inference: each text is a request of its own."""
        headers = dict(scope["headers"])
        with self._predictor.accepted(headers, InferRequest, json_bytes=0) as body:
            content = await self._predictor.content(body, headers, receive)
            message, requests = await self._predictor.validated(
                len(content), lambda: self._read(content)
            )
            responses = await self._predictor.infer(requests, receive)
        await _send(send, self._response(message, responses))

    def _read(self, body: bytes) -> tuple[messages.ModelInferRequest, list[BaseModel]]:
        """The message in a body, and a request for each of its texts."""
        message = read_message(messages.ModelInferRequest, body, self._most_fields)
        self._require_model(message.model_name, message.model_version)
        return message, self._service.requests(*_texts(message, self._service.max_texts))

    def _response(self, request: messages.ModelInferRequest, responses: list[bytes]) -> Message:
        """The responses in one tensor, of the shape of the request's and in its form."""
        tensor = messages.ModelInferResponse.InferOutputTensor(
            name=OUTPUT, datatype="BYTES", shape=request.inputs[0].shape
        )
        response = messages.ModelInferResponse(
            model_name=self._service.name, model_version=self._service.version, id=request.id
        )
        if request.raw_input_contents:
            response.raw_output_contents.append(write_texts(responses))
        else:
            tensor.contents.bytes_contents.extend(responses)
        response.outputs.append(tensor)
        return response

    def _require_model(self, name: str, version: str) -> None:
        self._service.require_model(name, version or None)


class _Endpoint:
    """An ASGI app of one path: Starlette hands functions its own objects."""

    def __init__(self, respond: Callable[[Scope, Receive, Send], Any]) -> None:
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        await self._respond(scope, receive, send)


def _texts(
    message: messages.ModelInferRequest, most: int
) -> tuple[list[str], tuple[str | int, ...]]:
    """The texts of a message, and where they are.

    Raises:
        ProblemError: 422, they are missing, malformed or too many, or don't fit the shape.
    """
    request = _checked(message)
    [given] = message.inputs
    if message.raw_input_contents:
        if given.HasField("contents"):
            raise wrong(_RAW, "Texts are either here or in inputs[0].contents, not both")
        if len(message.raw_input_contents) > 1:
            raise wrong(_RAW, "There are more of them than inputs")
        where: tuple[str | int, ...] = (*_RAW, 0)
        texts = read_texts(message.raw_input_contents[0], most, where)
    else:
        where = _TEXTS
        _check_contents(given.contents)
        encoded = given.contents.bytes_contents
        if len(encoded) > most:
            raise too_many(len(encoded), most, where)
        texts = [read_text(text, number, where) for number, text in enumerate(encoded)]
    check_shape(request.inputs[0], len(texts))
    return texts, where


def _checked(message: messages.ModelInferRequest) -> InferRequest:
    """The message without its texts, as JSON would have it.

    Raises:
        ProblemError: 422.
    """
    document = {
        "inputs": [
            {
                "name": each.name,
                "shape": each.shape,
                "datatype": each.datatype,
                "parameters": _parameters(each.parameters),
            }
            for each in message.inputs
        ],
        "outputs": [
            {"name": each.name, "parameters": _parameters(each.parameters)}
            for each in message.outputs
        ],
    }
    try:
        request = InferRequest.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error) from None
    refuse_shared_memory(request)
    return request


def _parameters(given: Mapping[str, messages.InferParameter]) -> dict[str, str] | None:
    """The only one that counts; others are ignored."""
    if _SHARED_MEMORY not in given:
        return None
    return {_SHARED_MEMORY: given[_SHARED_MEMORY].string_param[:MAX_PARAMETER]}


def _check_contents(contents: messages.InferTensorContents) -> None:
    """Check that contents are texts alone.

    Raises:
        ProblemError: 422.
    """
    for field, _ in contents.ListFields():
        if field.name != "bytes_contents":
            raise wrong((*_TEXTS[:-1], field.name), "Texts are in bytes_contents")
    if not contents.bytes_contents:
        raise wrong(_TEXTS, "Field required, or raw_input_contents", "missing")


def _members(body: BaseModel) -> Any:
    return body.model_dump(exclude_none=True)


async def _send(send: Send, message: Message) -> None:
    body = message.SerializeToString()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
