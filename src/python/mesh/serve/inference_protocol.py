"""The Open Inference Protocol over HTTP, version 2, for KServe, Triton and Seldon clients.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md

A text model takes one input tensor, `text`, of datatype BYTES and shape [n] or [n, 1], and returns
one output tensor, `response`, of the same shape and datatype: each element is the response to one
text, a JSON document as `/v1/model/{name}/predict` returns it. Triton's extensions for binary data,
configurations and the index of models are there too, since its clients use them by default.
"""

from collections.abc import Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mesh.serve.availability import Availability
from mesh.serve.inference_schemas import (
    INPUT,
    IndexRequest,
    InferRequest,
    InferResponse,
    ModelReady,
    OutputTensor,
)
from mesh.serve.inference_service import InferenceService
from mesh.serve.inference_tensors import DATA_PATH, read_text, texts_of, write_texts
from mesh.serve.media_types import BYTES, JSON
from mesh.serve.predict import Predictor, validate
from mesh.serve.problems import ProblemError

BINARY_HEADER = "Inference-Header-Content-Length"
"""How many bytes of a body are its JSON document; 0 where all of it is one text."""

MAX_DIGITS = 10


class InferenceProtocol:
    """The handlers of the protocol."""

    def __init__(
        self, service: InferenceService, availability: Availability, predictor: Predictor
    ) -> None:
        self._service = service
        self._availability = availability
        self._predictor = predictor

    def routes(self) -> list[Route]:
        """All paths and their handlers."""
        model = "/v2/models/{name}"
        return [
            Route("/v2", self.server),
            Route("/v2/health/live", self.live),
            Route("/v2/health/ready", self.ready),
            Route("/v2/repository/index", self.index, methods=["POST"]),
            *(
                route
                for path in (model, f"{model}/versions/{{version}}")
                for route in (
                    Route(path, self.model),
                    Route(f"{path}/ready", self.model_ready),
                    Route(f"{path}/config", self.configuration),
                    Route(f"{path}/infer", self.infer, methods=["POST"]),
                )
            ),
        ]

    async def server(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server metadata."""
        return _json(self._service.server())

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server live."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server ready; the specification names the member both ways."""
        self._availability.require_ready()
        return JSONResponse({"live": True, "ready": True})

    async def index(self, request: Request) -> Response:
        """The models that are served here."""
        wanted = await self._predictor.message(
            request.scope, request.receive, lambda body: validate(IndexRequest, body or b"{}")
        )
        return _json(self._service.index(ready=wanted.ready))

    async def model(self, request: Request) -> Response:
        """Model metadata."""
        self._require_model(request)
        return _json(self._service.metadata())

    async def configuration(self, request: Request) -> Response:
        """Model configuration."""
        self._require_model(request)
        return _json(self._service.configuration())

    async def model_ready(self, request: Request) -> Response:
        """Model ready."""
        self._require_model(request)
        self._availability.require_ready()
        return _json(ModelReady(name=self._service.name, ready=True))

    async def infer(self, request: Request) -> Response:
        """Inference: each text is a request of its own."""
        self._require_model(request)
        json_bytes = _json_bytes(request.headers.get(BINARY_HEADER))
        headers = dict(request.scope["headers"])
        accepted = self._predictor.accepted(
            headers, InferRequest, and_bytes=True, json_bytes=json_bytes
        )
        with accepted as body:
            content = await self._predictor.content(body, headers, request.receive)
            parsed, requests = await self._predictor.validated(
                len(content), lambda: self._read(content, json_bytes)
            )
            responses = await self._predictor.infer(requests, request.receive)
        return self._response(parsed, responses)

    def _read(self, body: bytes, json_bytes: int | None) -> tuple[InferRequest, list[BaseModel]]:
        """The message in a body, and a request for each of its texts."""
        if json_bytes == 0:
            tensor = {"name": INPUT, "shape": [1], "datatype": "BYTES"}
            message = InferRequest.model_validate({"inputs": [tensor]})
            return message, self._service.requests([read_text(body, 0)], DATA_PATH)
        end = len(body) if json_bytes is None else json_bytes
        if end > len(body):
            detail = f"The header {BINARY_HEADER} is {end}, and the body has {len(body)} bytes."
            raise ProblemError(400, detail)
        message = validate(InferRequest, body[:end])
        texts = texts_of(message, body[end:], self._service.max_texts)
        return message, self._service.requests(texts, DATA_PATH)

    def _response(self, request: InferRequest, responses: Sequence[bytes]) -> Response:
        """The responses in one tensor, of the shape of the request's and in the form it wants."""
        tensor = OutputTensor(shape=request.inputs[0].shape)
        message = InferResponse(
            model_name=self._service.name,
            model_version=self._service.version,
            id=request.id,
            outputs=[tensor],
        )
        if not request.wants_binary:
            tensor.data = [response.decode() for response in responses]
            return _json(message)
        binary = write_texts(responses)
        tensor.parameters = {"binary_data_size": len(binary)}
        document = message.model_dump_json(exclude_none=True).encode()
        headers = {BINARY_HEADER: str(len(document))}
        return Response(document + binary, headers=headers, media_type=BYTES)

    def _require_model(self, request: Request) -> None:
        """Check that the path names the model that is served, and its version if any.

        Raises:
            ProblemError: 404.
        """
        parameters = request.path_params
        self._service.require_model(parameters["name"], parameters.get("version"))


def _json_bytes(header: str | None) -> int | None:
    """How many bytes of a body are JSON, by the header; None if all are.

    Raises:
        ProblemError: 400.
    """
    if header is None:
        return None
    if not (header.isascii() and header.isdigit() and len(header) <= MAX_DIGITS):
        detail = f"The header {BINARY_HEADER} is not a number of bytes."
        raise ProblemError(400, detail)
    return int(header)


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(exclude_none=True), media_type=JSON)
