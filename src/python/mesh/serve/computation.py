"""What a model makes of requests: the bodies of responses, and exceptions."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from mesh.core.passes import AbandonedError
from mesh.serve.model import ServedModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Streamed:
    """A request whose outputs are wanted one by one. It is computed alone.

    Attributes:
        emit: takes each output as JSON, in the thread that computes.
    """

    request: Any
    emit: Callable[[bytes], None]


Observe = Callable[[Any, Any], None]
"""Gets a request with its response, or the list of its outputs."""


def passes(model: ServedModel, request: Any) -> float:
    """About how many passes of computation a request takes."""
    return model.passes(request.request if isinstance(request, Streamed) else request)


def compute(
    model: ServedModel, requests: Sequence[Any], observe: Observe | None = None
) -> Sequence[bytes | Exception]:
    """The model's response to each request as JSON, or the exception that is its result.

    Where the model fails on the batch as a whole, each of its requests is tried alone.

    Args:
        observe: gets what is responded.
    """
    if isinstance(requests[0], Streamed):
        [streamed] = requests
        return [_emitted(model, streamed, observe)]
    responses = _predicted(model, requests)
    encoded = [_encoded(model, response) for response in responses]
    if observe:
        for request, response, result in zip(requests, responses, encoded, strict=True):
            if not isinstance(result, Exception):
                observe(request, response)
    return encoded


def _emitted(model: ServedModel, streamed: Streamed, observe: Observe | None) -> bytes | Exception:
    """Nothing once all outputs are emitted, or the exception that ended them."""
    emitted = []
    try:
        for output in model.outputs(streamed.request):
            streamed.emit(to_json(output, inf_nan_mode="null"))
            if observe:
                emitted.append(output)
    except BaseException as error:
        return as_result(error)
    if observe:
        observe(streamed.request, emitted)
    return b""


def _predicted(model: ServedModel, requests: Sequence[Any]) -> Sequence[BaseModel | Exception]:
    try:
        return model.predict_batch(requests)
    except BaseException as error:
        failure = as_result(error)
    if len(requests) == 1:
        return [failure]
    logger.error(
        "A batch of %d failed; its requests are tried alone", len(requests), exc_info=failure
    )
    return [response for request in requests for response in _predicted(model, [request])]


def as_result(error: BaseException) -> Exception:
    """An exception as the result of a request.

    That of another kind, such as a panic of an extension in Rust, would end the thread, or pass
    for the end of the server.

    Raises:
        AbandonedError: nobody waits for a result.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, AbandonedError):
        raise error
    defect = RuntimeError(f"The model raised {type(error).__name__}, which is not an Exception")
    defect.__cause__ = error
    return defect


def _encoded(model: ServedModel, response: BaseModel | Exception) -> bytes | Exception:
    if isinstance(response, Exception):
        return response
    if not isinstance(response, model.response_model):
        expected = model.response_model.__name__
        return TypeError(
            f"The model's response is of type {type(response).__name__}, not {expected}"
        )
    try:
        return response.model_dump_json().encode()
    except BaseException as error:
        return as_result(error)
