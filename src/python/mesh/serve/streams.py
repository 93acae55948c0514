"""Responses as streams: one output a line, as soon as it is ready."""

import contextlib
import logging
from collections.abc import AsyncGenerator

from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.types import Scope, Send

from mesh.serve.media_types import JSON, LINES, prefers
from mesh.serve.problems import DEFECT, ProblemDetails, ProblemError, problem_details

logger = logging.getLogger(__name__)

_HEADERS = [
    (b"content-type", LINES.encode()),
    # Proxies would keep lines until there are many.
    (b"x-accel-buffering", b"no"),
    (b"cache-control", b"no-store"),
]


class StreamEnd(BaseModel):
    """The last line of a stream that ends before its last output."""

    problem: ProblemDetails


def wants_lines(scope: Scope) -> bool:
    """Whether the client accepts a stream, and prefers it to one JSON document."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"x-ndjson" in accept.lower() and prefers(accept.decode("latin-1"), LINES, JSON)


async def send_lines(outputs: AsyncGenerator[bytes, None], scope: Scope, send: Send) -> None:
    """Send each output as a line of its own.

    What goes wrong before the first one is raised, so that the response has a status of its own.
    After it, the problem is the last line.
    """
    async with contextlib.aclosing(outputs):
        first = await anext(outputs, None)
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        try:
            if first is not None:
                await _send_line(send, first)
            async for output in outputs:
                await _send_line(send, output)
        except ClientDisconnect:
            raise
        except ProblemError as problem:
            await _send_end(send, scope, problem)
        except Exception:
            request_id = scope["state"]["request_id"]
            logger.exception("Request %s failed", request_id, extra={"request_id": request_id})
            await _send_end(send, scope, ProblemError(500, DEFECT))
    await send({"type": "http.response.body", "body": b""})


async def _send_line(send: Send, line: bytes) -> None:
    await send({"type": "http.response.body", "body": line + b"\n", "more_body": True})


async def _send_end(send: Send, scope: Scope, problem: ProblemError) -> None:
    end = StreamEnd(problem=problem_details(scope, problem))
    await _send_line(send, end.model_dump_json(exclude_none=True).encode())
