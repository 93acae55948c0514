"""The clean close of a connection whose request is refused before it is read."""

import asyncio
from collections.abc import Awaitable

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
            exchange = _Exchange(scope, receive, send)
            await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    """A request with a body, and its response."""

    __slots__ = ("_discarded", "_is_complete", "_receive", "_scope", "_send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_complete = False
        self._discarded = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._is_complete = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        if self._is_complete or MALFORMED in self._scope["state"]:
            return self._send(message)
        if message["type"] == "http.response.start":
            return self._send_start(message)
        if message.get("more_body", False):
            return self._send(message)
        return self._send_last(message)

    async def _send_start(self, message: Message) -> None:
        # A client that waits to be asked for its body isn't asked for one that is refused.
        if all(name != b"expect" for name, _ in self._scope["headers"]):
            await self._discard_arrived()
        if self._scope["http_version"].startswith("1") and not self._is_complete:
            MutableHeaders(scope=message)["Connection"] = "close"
        await self._send(message)

    async def _send_last(self, message: Message) -> None:
        await self._send({**message, "more_body": True})
        discard = asyncio.create_task(self._discard())
        try:
            await self._wait_while_it_arrives(discard)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            discard.cancel()

    async def _discard_arrived(self) -> None:
        """Discard what has arrived of the body, without waiting for more."""
        receiving = asyncio.create_task(self.receive())
        # The task has its turn.
        await asyncio.sleep(0)
        receiving.cancel()

    async def _discard(self) -> None:
        """Discard all that arrives of the body."""
        while not self._is_complete:
            message = await self.receive()
            self._discarded += len(message.get("body", b""))

    async def _wait_while_it_arrives(self, discard: asyncio.Task[None]) -> None:
        """Wait for the end of a body that is discarded, while it arrives and isn't too large."""
        for _ in range(MAX_LINGERS):
            discarded = self._discarded
            await asyncio.wait({discard}, timeout=LINGER_SECONDS)
            if self._discarded == discarded or self._discarded > MAX_DISCARDED_BYTES:
                return
