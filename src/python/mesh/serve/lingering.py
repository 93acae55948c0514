"""The clean close of a connection whose request is refused before it is read."""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.serve.request_check import LINGER_SECONDS, MALFORMED

MAX_LINGERS = 5
MAX_DISCARDED_BYTES = 64 * 1024 * 1024


class LingeringClose:
    """Reads the rest of a body that the app did not read, so that the client can read the response.

    A socket that is closed with unread data is reset, and all data on it is lost; and the server
    stalls while nobody reads what it receives. So the response is sent whole, then data is
    discarded for a while, then the response is ended, and the connection with it.

    Where the body is here already, as a small one is, none of this is needed, and the client keeps
    its connection: under overload, connections would cost more than the refusals.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its method has no body."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
        else:
            body = _Body(receive)
            await self._app(scope, body.receive, _lingering(scope, body, send))


class _Body:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False
        self.discarded = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.is_complete = True
        return message

    async def discard_arrived(self) -> None:
        """Discard what has arrived, without waiting for more."""
        receiving = asyncio.create_task(self.receive())
        # The task has its turn.
        await asyncio.sleep(0)
        receiving.cancel()

    async def discard(self) -> None:
        """Discard all that arrives."""
        while not self.is_complete:
            message = await self.receive()
            self.discarded += len(message.get("body", b""))


def _lingering(scope: Scope, body: _Body, send: Send) -> Send:
    is_http_1 = scope["http_version"].startswith("1")

    async def send_last(message: Message) -> None:
        await send({**message, "more_body": True})
        discard = asyncio.create_task(body.discard())
        try:
            await _wait_while_it_arrives(body, discard)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            discard.cancel()

    async def send_start(message: Message) -> None:
        # A client that waits to be asked for its body isn't asked for one that is refused.
        if all(name != b"expect" for name, _ in scope["headers"]):
            await body.discard_arrived()
        if is_http_1 and not body.is_complete:
            MutableHeaders(scope=message)["Connection"] = "close"
        await send(message)

    async def send_lingering(message: Message) -> None:
        if body.is_complete or MALFORMED in scope["state"]:
            await send(message)
        elif message["type"] == "http.response.start":
            await send_start(message)
        elif message.get("more_body", False):
            await send(message)
        else:
            await send_last(message)

    return send_lingering


async def _wait_while_it_arrives(body: _Body, discard: asyncio.Task[None]) -> None:
    """Wait for the end of a body that is discarded, while it arrives and isn't too large."""
    for _ in range(MAX_LINGERS):
        discarded = body.discarded
        await asyncio.wait({discard}, timeout=LINGER_SECONDS)
        if body.discarded == discarded or body.discarded > MAX_DISCARDED_BYTES:
            return
