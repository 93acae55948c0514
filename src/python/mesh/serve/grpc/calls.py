"""Calls as an ASGI app sees them: requests with one message each, and their responses.

So a call passes what a request over HTTP passes: access, limits, metrics and the log.
"""

import asyncio
import contextlib
import ipaddress
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Scope

from mesh.serve.grpc.arrivals import Arrivals
from mesh.serve.grpc.statuses import Metadata, code_of, metadata_of, sentence_of
from mesh.serve.problems import DEFECT, PROBLEM, ProblemError
from mesh.serve.request_check import CERTIFICATE

Context = Any
"""`grpc.aio.ServicerContext` of messages as bytes."""

END_SECONDS = 0.5
"""Within which a call that has ended is known to have."""

_KEY = "x-api-key"
_OF_BODIES = "content-"
"""Headers of HTTP that begin so are no metadata."""


class Calls:
    """Hands calls to an app, and counts them.

    Args:
        address: where they arrive: host and port.
        most: messages that may arrive at a time.
        send_seconds: for which a client may take nothing of a response.
    """

    def __init__(
        self, app: ASGIApp, address: tuple[str, int], *, most: int, send_seconds: float
    ) -> None:
        self._app = app
        self._address = address
        self._arrivals = Arrivals(most)
        self._send_seconds = send_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def handler(self, path: str) -> grpc.RpcMethodHandler:
        """The handler of the calls of a method."""

        async def respond(_: object, context: Context) -> None:
            await self._respond(path, context)

        # Their messages are read and written here, so that they are read after all other checks.
        return grpc.stream_stream_rpc_method_handler(respond)

    async def _respond(self, path: str, context: Context) -> None:
        call = _Call(
            _scope(path, context, self._address), context, self._arrivals, self._send_seconds
        )
        task = asyncio.create_task(_run(self._app, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            # The client left, or its time is over.
            call.left.set()
            await asyncio.wait({task})
            raise
        await call.end()

    async def drain(self, seconds: float) -> None:
        """Wait for the calls in progress, and end those that take longer."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _run(app: ASGIApp, call: "_Call") -> None:
    try:
        await app(call.scope, call.receive, call.send)
    except (asyncio.CancelledError, ClientDisconnect):
        # The call has its problem, or nobody waits for its end.
        return
    except Exception:
        # The app has logged it.
        call.fail()


class _Call:
    """One call.

    Attributes:
        left: set when nobody waits for the response any more.
    """

    def __init__(
        self, scope: Scope, context: Context, arrivals: Arrivals, send_seconds: float
    ) -> None:
        self.left = asyncio.Event()
        self.scope = scope
        self._context = context
        self._arrivals = arrivals
        self._send_seconds = send_seconds
        self._is_read = False
        self._is_complete = False
        self._headers: list[tuple[str, str]] = []

    async def receive(self) -> Message:
        """The message, or the end of the call."""
        if not self._is_read:
            self._is_read = True
            message = await self._arrivals.read(self._context.read)
            if message is not grpc.aio.EOF:
                return {"type": "http.request", "body": message, "more_body": False}
            await self._require_end()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _require_end(self) -> None:
        """Check that a call without a message has ended.

        Raises:
            ProblemError: 400.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.left.wait(), END_SECONDS)
        if not self.left.is_set():
            raise ProblemError(400, "The call has no message.")

    async def send(self, message: Message) -> None:
        """Send the response, unless it is a problem, which is told at the end."""
        if message["type"] == "http.response.start":
            self._headers = [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
        elif PROBLEM not in self.scope["state"]:
            try:
                async with asyncio.timeout(self._send_seconds):
                    await self._context.write(message["body"])
            except (TimeoutError, grpc.aio.BaseError):
                self.left.set()
                raise ClientDisconnect from None
            self._is_complete = True

    def fail(self) -> None:
        """Have the call end with a defect."""
        self.scope["state"][PROBLEM] = ProblemError(500, DEFECT)

    async def end(self) -> None:
        """End the call with its status.

        Raises:
            CancelledError: nobody takes the response.
        """
        headers = (each for each in self._headers if not each[0].startswith(_OF_BODIES))
        metadata: Metadata = tuple(headers)
        problem = self.scope["state"].get(PROBLEM)
        if problem is not None:
            metadata = (*metadata, *metadata_of(problem))
            await self._context.abort(code_of(problem), sentence_of(problem), metadata)
        if not self._is_complete:
            raise asyncio.CancelledError
        self._context.set_trailing_metadata(metadata)


def _scope(path: str, context: Context, address: tuple[str, int]) -> Scope:
    certificate = _client_name(context.auth_context())
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "2",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(_headers(context.invocation_metadata() or ())),
        "client": _client(context.peer()),
        "server": address,
        "state": {} if certificate is None else {CERTIFICATE: certificate},
    }


def _headers(metadata: Sequence[tuple[str, str | bytes]]) -> list[tuple[bytes, bytes]]:
    """Metadata as headers, a key as HTTP's own header for it."""
    headers = []
    for name, value in metadata:
        encoded = value if isinstance(value, bytes) else value.encode("latin-1")
        if name == _KEY:
            headers.append((b"authorization", b"Bearer " + encoded))
        elif not name.startswith(_OF_BODIES):
            headers.append((name.encode("latin-1"), encoded))
    return headers


def _client(peer: str) -> tuple[str, int] | None:
    """Address and port of a client: `ipv4:127.0.0.1:80`, `ipv6:%5B::1%5D:80`."""
    kind, _, rest = urllib.parse.unquote(peer).partition(":")
    host, _, port = rest.rpartition(":")
    if kind not in ("ipv4", "ipv6") or not port.isdigit():
        return None
    address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address), int(port)


def _client_name(context: Mapping[str, Sequence[bytes]]) -> str | None:
    """The name in the certificate of a client; None if it has none."""
    if "x509_pem_cert" not in context:
        return None
    names = [
        *context.get("x509_common_name", ()),
        *context.get("x509_subject_alternative_name", ()),
    ]
    return next((name.decode("utf-8", "replace") for name in names if name), "without a name")
