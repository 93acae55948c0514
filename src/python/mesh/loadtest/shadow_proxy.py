"""A proxy before a server, which sends a share of the predictions to a shadow, too."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mesh.loadtest.shadow import Answer, Comparison

MOST_WAITING = 16
"""Requests that may wait for the shadow at once; more are not sent to it."""

MOST_BYTES = 64 * 1024 * 1024
"""Of a request's body: more than any server of the mesh takes."""

REQUEST_ID = "x-request-id"

# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and the length, which both sides count.
_OF_ONE_CONNECTION = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length"),
    )
)
_OF_REQUESTS = _OF_ONE_CONNECTION | {"accept-encoding", "expect", "host"}
_OF_RESPONSES = _OF_ONE_CONNECTION | {"content-encoding"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Headers = list[tuple[str, str]]


class ShadowProxy:
    """Passes all requests to a server, and its responses back, whatever the shadow does.

    Args:
        of: a client of the server.
        shadow: a client of the shadow, which gets a prediction when its client has the response.
        model: whose predictions are sent to both.
        choose: whether the shadow gets the next one.
    """

    def __init__(
        self,
        of: httpx.AsyncClient,
        shadow: httpx.AsyncClient,
        model: str,
        choose: Callable[[], bool],
    ) -> None:
        self._of = of
        self._shadow = shadow
        self._paths = (f"/v1/model/{model}/predict", f"/v2/models/{model}/infer")
        self._choose = choose
        self._waiting: set[asyncio.Task[None]] = set()
        self.comparison = Comparison()

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)])

    async def close(self) -> None:
        """Wait until the shadow has answered, and close both clients."""
        await asyncio.gather(*self._waiting)
        await self._of.aclose()
        await self._shadow.aclose()

    async def _pass_on(self, request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return _problem(413, f"The proxy takes bodies of at most {MOST_BYTES} bytes.")
        headers = _without(_OF_REQUESTS, request.headers.items())
        if REQUEST_ID not in request.headers:
            # Both servers log it.
            headers.append((REQUEST_ID, uuid.uuid4().hex))
        answer, returned = await _ask(self._of, request, headers, body)
        if request.method == "POST" and request.scope["path"] in self._paths:
            # A server that doesn't take its client's id makes another one.
            request_id = dict(returned).get(REQUEST_ID) or dict(headers)[REQUEST_ID]
            rest = _without(frozenset((REQUEST_ID,)), headers)
            self._compare(request, [*rest, (REQUEST_ID, request_id)], body, answer)
        if answer.status == 0:
            return _problem(502, f"The server doesn't respond ({answer.body.decode()}).")
        response = Response(answer.body, answer.status)
        if request.method == "HEAD":
            del response.headers["content-length"]
        response.raw_headers += [(name.encode(), value.encode()) for name, value in returned]
        return response

    def _compare(self, request: Request, headers: Headers, body: bytes, answer: Answer) -> None:
        self.comparison.requests += 1
        if not self._choose():
            return
        if answer.failed:
            self.comparison.failed += 1
            return
        if len(self._waiting) >= MOST_WAITING:
            self.comparison.skipped += 1
            return

        async def compare() -> None:
            shadow, _ = await _ask(self._shadow, request, headers, body)
            request_id = dict(headers)[REQUEST_ID]
            self.comparison.add(request_id, request.scope["path"], answer, shadow)

        task = asyncio.create_task(compare())
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)


async def _read(request: Request) -> bytes | None:
    """The body of a request; None if it is too large."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MOST_BYTES:
            return None
    return bytes(parts)


async def _ask(
    client: httpx.AsyncClient, request: Request, headers: Headers, body: bytes
) -> tuple[Answer, Headers]:
    """A server's answer to a request, with the headers that its client gets."""
    target = request.scope["raw_path"]
    if query := request.scope["query_string"]:
        target += b"?" + query
    url = client.base_url.copy_with(raw_path=target)
    started = time.perf_counter()
    try:
        try:
            response = await client.request(request.method, url, headers=headers, content=body)
        except httpx.RemoteProtocolError:
            # The server has closed a kept connection: like every client, ask once more.
            response = await client.request(request.method, url, headers=headers, content=body)
    except httpx.HTTPError as error:
        reason = f"{type(error).__name__}: {error}".encode()
        return Answer(0, reason, time.perf_counter() - started), []
    seconds = time.perf_counter() - started
    returned = _without(_OF_RESPONSES, response.headers.multi_items())
    return Answer(response.status_code, response.content, seconds), returned


def _without(names: frozenset[str], headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]


def _problem(status: int, detail: str) -> Response:
    content = json.dumps({"title": "The shadow's proxy", "status": status, "detail": detail})
    return Response(content, status, media_type="application/problem+json")
