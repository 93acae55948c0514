"""The messages of the Open Inference Protocol, which `inference_protocol` speaks."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

INPUT = "text"
OUTPUT = "response"
MAX_TEXTS = 4096
MAX_PARAMETER = 200
"""Characters of a parameter's name, or of its value."""


class _Message(BaseModel):
    """The protocol's own names begin with `model_`.

    Validators are made when a client first speaks the protocol, which most never do.
    """

    model_config = ConfigDict(protected_namespaces=(), defer_build=True)


class ServerMetadata(_Message):
    """The server's metadata."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(_Message):
    """A tensor that the model takes or returns; a dimension of -1 may have any size."""

    name: str
    datatype: Literal["BYTES"] = "BYTES"
    shape: list[int] = [-1]


class ModelMetadata(_Message):
    """The model's versions, inputs and outputs."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class TensorConfiguration(_Message):
    """A tensor in the words of a model's configuration."""

    name: str
    data_type: Literal["TYPE_STRING"] = "TYPE_STRING"
    dims: list[int] = [-1]


class ModelConfiguration(_Message):
    """The model's configuration. Shapes are whole: no dimension of a batch comes before them."""

    name: str
    platform: str
    backend: str
    max_batch_size: int = 0
    input: list[TensorConfiguration]
    output: list[TensorConfiguration]


class ModelReady(_Message):
    """Whether the model responds."""

    name: str
    ready: bool


class IndexRequest(_Message):
    """Which models to list."""

    ready: bool = Field(False, description="Only those that respond.")


class IndexedModel(_Message):
    """A model that is served here."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = Field("", description="Why it is unavailable.")


class RepositoryIndex(RootModel[list[IndexedModel]]):
    """The models that are served here."""


def _flat(data: Any) -> Any:
    """The texts of a tensor of shape [n, 1], which may be written as lists of one each."""
    if isinstance(data, list) and all(isinstance(row, list) and len(row) == 1 for row in data):
        return [row[0] for row in data]
    return data


_BOUNDS = Field(min_length=1, max_length=MAX_TEXTS)
_Row = Annotated[list[str], Field(min_length=1, max_length=1)]
_Texts = Annotated[
    list[str],
    _BOUNDS,
    BeforeValidator(
        _flat,
        json_schema_input_type=Annotated[list[str], _BOUNDS] | Annotated[list[_Row], _BOUNDS],
    ),
]


class InputParameters(_Message):
    """Parameters of the input; others are ignored."""

    binary_data_size: int | None = Field(
        None, ge=0, description="Bytes of the texts, which follow after the JSON document."
    )
    shared_memory_region: str | None = Field(
        None, max_length=MAX_PARAMETER, description="Refused: texts are sent in the body."
    )


class OutputParameters(_Message):
    """Parameters of the output; others are ignored."""

    binary_data: bool | None = Field(
        None, description="Whether the responses follow after the JSON document."
    )
    shared_memory_region: str | None = Field(
        None, max_length=MAX_PARAMETER, description="Refused: responses are sent in the body."
    )


class RequestParameters(_Message):
    """Parameters of the request; others are ignored."""

    binary_data_output: bool = Field(
        False, description="Whether responses follow after the JSON document by default."
    )


class InputTensor(_Message):
    """Texts, here or after the JSON document."""

    name: Literal["text"]
    shape: list[int] = Field(
        max_length=2, description="The number of texts: [n] or [n, 1].", examples=[[1]]
    )
    datatype: Literal["BYTES"]
    data: _Texts | None = None
    parameters: InputParameters | None = None


class RequestedOutput(_Message):
    """An output tensor that the client wants."""

    name: Literal["response"]
    parameters: OutputParameters | None = None


class InferRequest(_Message):
    """Texts to respond to."""

    id: str | None = None
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] | None = Field(None, max_length=1)
    parameters: RequestParameters | None = None

    @property
    def wants_binary(self) -> bool:
        """Whether the responses follow after the JSON document."""
        output = self.outputs[0].parameters if self.outputs else None
        if output is not None and output.binary_data is not None:
            return output.binary_data
        return self.parameters is not None and self.parameters.binary_data_output


class OutputTensor(_Message):
    """Responses, each a JSON document, here or after this one."""

    name: Literal["response"] = "response"
    shape: list[int]
    datatype: Literal["BYTES"] = "BYTES"
    data: list[str] | None = None
    parameters: dict[str, int] | None = Field(
        None, description="`binary_data_size`, where the responses follow."
    )


class InferResponse(_Message):
    """The responses to the texts, in their order."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]
