"""What a request may send, and how fast."""

import asyncio
from collections.abc import Mapping
from email.message import Message

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from mesh.serve.problems import ProblemError, shorten

JSON = b"application/json"
LINGER_SECONDS = 2.0


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Check the media type; a missing one counts as JSON, as clients of the Open Inference Protocol leave it out.

    Args:
        headers: as ASGI gives them, names in lower case.

    Raises:
        ProblemError: 415.
    """
    if encoding := headers.get(b"content-encoding"):
        raise ProblemError(
            415,
            f"The body is encoded as {shorten(encoding.decode('latin-1'))}; send it uncompressed.",
        )
    if headers.get(b"content-type", JSON) == JSON:
        return
    given = headers[b"content-type"].decode("latin-1")
    parsed = Message()
    parsed["content-type"] = given
    charset = parsed.get_content_charset("utf-8")
    if parsed.get_content_type() != JSON.decode() or charset not in ("utf-8", "us-ascii"):
        raise ProblemError(415, f"The body is {shorten(given)}; send application/json in UTF-8.")


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, *, max_bytes: int, seconds: float
) -> bytes:
    """Read a request's body, holding no more of it than is allowed.

    Raises:
        ProblemError: 400 when its length is malformed, 408 when it doesn't arrive in time, 413 when it is too large.
        ClientDisconnect: the client left.
    """
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit():
        raise ProblemError(400, "The header Content-Length is not a number.")
    # Its digits are compared first: converting millions of them would take long.
    if len(declared.lstrip(b"0")) > len(str(max_bytes)) or int(declared) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _received(receive, max_bytes)
    except TimeoutError:
        detail = f"The body did not arrive within {seconds:g} seconds."
        raise ProblemError(408, detail) from None


async def _received(receive: Receive, max_bytes: int) -> bytes:
    pieces = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece = message.get("body", b"")
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


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

    async def receive(self) -> ASGIMessage:
        message = await self._receive()
        if not message.get("more_body", False):
            self.is_complete = True
        return message

    async def discard(self) -> None:
        while not self.is_complete:
            await self.receive()


def _lingering(scope: Scope, body: _Body, send: Send) -> Send:
    is_http_1 = scope["http_version"].startswith("1")

    async def send_last(message: ASGIMessage) -> None:
        await send({**message, "more_body": True})
        discard = asyncio.create_task(body.discard())
        try:
            await asyncio.wait({discard}, timeout=LINGER_SECONDS)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            discard.cancel()

    async def send_lingering(message: ASGIMessage) -> None:
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
