"""Calls of a server over gRPC, by its own messages."""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message

from mesh.serve.grpc import messages_pb2 as messages
from mesh.serve.inference_tensors import write_texts

PATIENCE = 60
SERVICE = "inference.GRPCInferenceService"


def infer_request(
    *texts: str, model: str = "tiny", raw: bool = True, **tensor: Any
) -> messages.ModelInferRequest:
    """A request about texts.

    Args:
        raw: whether they are in one piece.
        tensor: members of the input that are others.
    """
    given: dict[str, Any] = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], **tensor}
    encoded = [text.encode() for text in texts]
    if raw:
        pieces = [write_texts(encoded)]
    else:
        pieces = []
        given.setdefault("contents", {"bytes_contents": encoded})
    return messages.ModelInferRequest(model_name=model, inputs=[given], raw_input_contents=pieces)


class GrpcCaller:
    """Calls methods of a server, each with its own kind of response."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        options = [("grpc.enable_retries", 0)]
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options)
        else:
            self.channel = grpc.secure_channel(address, credentials, options)

    def __enter__(self) -> "GrpcCaller":
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def method(self, name: str, service: str = SERVICE) -> Any:
        """A method that takes bytes and returns them."""
        return self.channel.unary_unary(f"/{service}/{name}")

    def infer(self, request: Message | bytes, **options: Any) -> messages.ModelInferResponse:
        """The response to a request for predictions."""
        body = self.begin(request, **options).result()
        response: messages.ModelInferResponse = messages.ModelInferResponse.FromString(body)
        return response

    def begin(self, request: Message | bytes, **options: Any) -> Any:
        """A call that goes on."""
        body = request if isinstance(request, bytes) else request.SerializeToString()
        return self.method("ModelInfer").future(body, **{"timeout": PATIENCE, **options})

    def refusal(self, request: Message | bytes, **options: Any) -> grpc.RpcError:
        """The error of a request that is refused."""
        try:
            self.infer(request, **options)
        except grpc.RpcError as error:
            return error
        raise AssertionError("It was not refused.")


def details_of(error: Any) -> dict[str, Message]:
    """What programs read in an error, by the kind."""
    [encoded] = [value for name, value in error.trailing_metadata() if name.endswith("-bin")]
    status = messages.Status.FromString(encoded)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    kinds: Sequence[type[Message]] = (messages.BadRequest, messages.RetryInfo)
    known = {kind.DESCRIPTOR.name: kind for kind in kinds}
    found = {}
    for each in status.details:
        name = each.type_url.removeprefix("type.googleapis.com/google.rpc.")
        found[name] = known[name].FromString(each.value)
    return found
