"""What a request may send, and how fast."""

import asyncio
from email.message import Message as Headers

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.requests import Request
from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from mesh.serve.problems import ProblemError
from mesh.serve.problems import shorten

JSON = "application/json"
LINGER_SECONDS = 2.0


def require_json(request: Request) -> None:
    """Check the media type; a missing one counts as JSON, as clients of the Open Inference Protocol leave it out.

    Raises:
        ProblemError: 415.
    """
    if encoding := request.headers.get("content-encoding"):
        raise ProblemError(
            415, f"The body is encoded as {shorten(encoding)}; send it uncompressed."
        )
    given = request.headers.get("content-type", JSON)
    if given == JSON:
        return
    headers = Headers()
    headers["content-type"] = given
    charset = headers.get_content_charset("utf-8")
    if headers.get_content_type() != JSON or charset not in ("utf-8", "us-ascii"):
        raise ProblemError(415, f"The body is {shorten(given)}; send application/json in UTF-8.")


async def read_body(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """Read a request's body, holding no more of it than is allowed.

    Raises:
        ProblemError: 400 when its length is malformed, 408 when it doesn't arrive in time, 413 when it is too large.
        ClientDisconnect: the client left.
    """
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()):
        raise ProblemError(400, "The header Content-Length is not a number.")
    # Its digits are compared first: converting millions of them would take long.
    if len(declared.lstrip("0")) > len(str(max_bytes)) or int(declared) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _received(request.receive, max_bytes)
    except TimeoutError:
        detail = f"The body did not arrive within {seconds:g} seconds."
        raise ProblemError(408, detail) from None


async def _received(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(413, f"The body is larger than {max_bytes} bytes; send less at once.")


class LingeringClose:
    """Takes in the rest of a body that the app did not read, so that the client gets to read the answer.

    A socket that is closed with unread data is reset, which discards what was sent on it; and the server stalls while
    nobody takes what it receives. So the answer is sent whole, then data is discarded for a while, then the answer is
    ended.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its method has no body."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        else:
            body = _Body(receive)
            await self._app(scope, body.receive, _lingering(scope, body, send))


class _Body:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.is_complete = True
        return message

    async def discard(self) -> None:
        while not self.is_complete:
            await self.receive()


def _lingering(scope: Scope, body: _Body, send: Send) -> Send:
    is_http_1 = scope["http_version"].startswith("1")

    async def send_last(message: Message) -> None:
        await send({**message, "more_body": True})
        discard = asyncio.create_task(body.discard())
        try:
            await asyncio.wait({discard}, timeout=LINGER_SECONDS)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            discard.cancel()

    async def send_lingering(message: Message) -> None:
        if body.is_complete:
            await send(message)
        elif message["type"] == "http.response.start":
            if is_http_1:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)
        elif message.get("more_body", False):
            await send(message)
        else:
            await send_last(message)

    return send_lingering
