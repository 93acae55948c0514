"""The Open Inference Protocol over HTTP, version 2, for KServe, Triton and Seldon clients.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md

A text model takes one input tensor, `text`, of datatype BYTES and shape [n], and returns one output
tensor, `response`, of the same shape and datatype: each element is the response to one text, a JSON
document as `/v1/model/{name}/predict` returns it.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mesh.serve.availability import Availability
from mesh.serve.model import ServedModel
from mesh.serve.predict import Predictor, require_model
from mesh.serve.problems import ProblemError, validation_problem
from mesh.serve.settings import ServeSettings

INPUT = "text"
OUTPUT = "response"
MAX_TEXTS = 4096
BINARY_HEADER = "Inference-Header-Content-Length"


class ServerMetadata(BaseModel):
    """The server's metadata."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """A tensor that the model takes or returns; a dimension of -1 may have any size."""

    name: str
    datatype: Literal["BYTES"] = "BYTES"
    shape: list[int] = [-1]


class ModelMetadata(BaseModel):
    """The model's inputs and outputs."""

    name: str
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(BaseModel):
    """Whether the model responds."""

    name: str
    ready: bool


class InputTensor(BaseModel):
    """Texts."""

    name: Literal["text"]
    shape: list[int] = Field(max_length=1, description="The number of texts: [n].", examples=[[1]])
    datatype: Literal["BYTES"]
    data: list[str] = Field(min_length=1, max_length=MAX_TEXTS)
    parameters: dict[str, Any] | None = Field(None, description="Ignored.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.shape != [len(self.data)]:
            raise ValueError(f"shape must be [{len(self.data)}], the number of texts in data")
        return self


class RequestedOutput(BaseModel):
    """An output tensor that the client wants."""

    name: Literal["response"]
    parameters: dict[str, Any] | None = Field(None, description="Ignored.")


class InferRequest(BaseModel):
    """Texts to respond to."""

    id: str | None = None
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] | None = Field(None, max_length=1)
    parameters: dict[str, Any] | None = Field(None, description="Ignored.")


class OutputTensor(BaseModel):
    """Responses, each a JSON document."""

    name: Literal["response"] = "response"
    shape: list[int]
    datatype: Literal["BYTES"] = "BYTES"
    data: list[str]


class InferResponse(BaseModel):
    """The responses to the texts, in their order."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    id: str | None = None
    outputs: list[OutputTensor]


class InferenceProtocol:
    """The handlers of the protocol."""

    def __init__(
        self,
        model: ServedModel,
        availability: Availability,
        predictor: Predictor,
        settings: ServeSettings,
    ) -> None:
        self._model = model
        self._availability = availability
        self._predictor = predictor
        self._max_texts = settings.queue_size

    def routes(self) -> list[Route]:
        """All paths and their handlers."""
        return [
            Route("/v2", self.server),
            Route("/v2/health/live", self.live),
            Route("/v2/health/ready", self.ready),
            Route("/v2/models/{name}", self.model),
            Route("/v2/models/{name}/ready", self.model_ready),
            Route("/v2/models/{name}/infer", self.infer, methods=["POST"]),
        ]

    async def server(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server metadata."""
        return _json(ServerMetadata(name="mesh", version="2", extensions=[]))

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server live."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - Starlette passes it
        """Server ready; the specification names the member both ways."""
        self._availability.require_ready()
        return JSONResponse({"live": True, "ready": True})

    async def model(self, request: Request) -> Response:
        """Model metadata."""
        require_model(request.scope, self._model)
        return _json(
            ModelMetadata(
                name=self._model.name,
                platform="mesh",
                inputs=[TensorMetadata(name=INPUT)],
                outputs=[TensorMetadata(name=OUTPUT)],
            )
        )

    async def model_ready(self, request: Request) -> Response:
        """Model ready."""
        require_model(request.scope, self._model)
        self._availability.require_ready()
        return _json(ModelReady(name=self._model.name, ready=True))

    async def infer(self, request: Request) -> Response:
        """Inference: each text is a request of its own."""
        require_model(request.scope, self._model)
        if BINARY_HEADER in request.headers:
            raise ProblemError(
                415, "Binary tensors are not supported; send the texts in `data` as JSON."
            )
        parsed: InferRequest
        accepted = self._predictor.accepted(request.scope, request.receive, InferRequest)
        async with accepted as parsed:
            texts = parsed.inputs[0].data
            if len(texts) > self._max_texts:
                detail = f"{len(texts)} texts are more than the {self._max_texts} that may wait."
                raise ProblemError(422, detail)
            responses = await self._predictor.infer(self._requests(texts), request.receive)
        data = [response.decode() for response in responses]
        tensor = OutputTensor(shape=[len(data)], data=data)
        return _json(InferResponse(model_name=self._model.name, id=parsed.id, outputs=[tensor]))

    def _requests(self, texts: list[str]) -> list[BaseModel]:
        requests = []
        for index, text in enumerate(texts):
            try:
                requests.append(self._model.example_request(text))
            except ValidationError as error:
                where = ("body", "inputs", 0, "data", index)
                raise validation_problem(error, where) from None
        return requests


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(exclude_none=True), media_type="application/json")
