"""Problems as gRPC tells them: a status, a sentence, and details that programs read."""

import math
from collections.abc import Sequence

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from mesh.serve.grpc.messages_pb2 import BadRequest, RetryInfo, Status
from mesh.serve.problems import FullError, ProblemError, field_name, shorten

Metadata = Sequence[tuple[str, str | bytes]]

DETAILS = "grpc-status-details-bin"
PUSHBACK = "grpc-retry-pushback-ms"
"""Clients that are configured to try again wait for so long."""

MAX_FIELDS = 5
"""Clients take 8 KiB of metadata."""

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.UNIMPLEMENTED,
    421: grpc.StatusCode.PERMISSION_DENIED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    431: grpc.StatusCode.RESOURCE_EXHAUSTED,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


def code_of(problem: ProblemError) -> grpc.StatusCode:
    """The status of a problem; INTERNAL of a defect."""
    if isinstance(problem, FullError):
        return grpc.StatusCode.RESOURCE_EXHAUSTED
    return _CODES.get(problem.status, grpc.StatusCode.INTERNAL)


def sentence_of(problem: ProblemError) -> str:
    """What clients show."""
    return shorten(problem.sentence)


def metadata_of(problem: ProblemError) -> Metadata:
    """What programs read: the fields that are wrong, and when to try again."""
    seconds = _seconds(problem)
    details: list[Message] = []
    if problem.errors:
        fields = [
            BadRequest.FieldViolation(field=field_name(each), description=shorten(each.msg))
            for each in problem.errors[:MAX_FIELDS]
        ]
        details.append(BadRequest(field_violations=fields))
    if seconds is not None:
        details.append(RetryInfo(retry_delay={"seconds": seconds}))
    if not details:
        return ()
    status = Status(
        code=code_of(problem).value[0],
        message=sentence_of(problem),
        details=[_any(each) for each in details],
    )
    encoded: Metadata = ((DETAILS, status.SerializeToString()),)
    return encoded if seconds is None else (*encoded, (PUSHBACK, str(seconds * 1000)))


def _seconds(problem: ProblemError) -> int | None:
    after = (problem.headers or {}).get("Retry-After")
    return None if after is None else math.ceil(float(after))


def _any(message: Message) -> AnyMessage:
    name = f"type.googleapis.com/google.rpc.{message.DESCRIPTOR.name}"
    return AnyMessage(type_url=name, value=message.SerializeToString())
