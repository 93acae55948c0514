"""What both HTTP servers do with a request before it is routed: one reading of it, or a refusal."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.serve.hosts import AllowedHosts, host_name
from mesh.serve.problems import RETRY_AFTER, ProblemError, problem_response, shorten

Headers = Sequence[tuple[bytes, bytes]]

MAX_HEADER_BYTES = 64 * 1024
NO_METHOD = "-"
"""The method of a request that could not be parsed."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FIRST_PROBE_SECONDS = 2.0
SECOND_PROBE_SECONDS = 0.5

LINGER_SECONDS = 2.0
"""How long a connection stays open after its last response, so that the client can read that."""

MALFORMED = "malformed"
"""The key in a request's state of the status with which its server refuses it."""

CERTIFICATE = "certificate"
"""The key in a request's state of the name in its client's certificate."""

_REASONS = {
    400: "The request is not valid HTTP/1.1, which needs one header Host.",
    431: f"The header is larger than {MAX_HEADER_BYTES} bytes.",
    503: "The server has as many connections open as it accepts; try again later.",
}
_VERSIONS = frozenset({"1.0", "1.1", "2"})
_SINGLE = (
    b"host",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"inference-header-content-length",
)
"""Headers that senders, proxies and servers would read differently if there were several."""

TRANSFER_ENCODING = b"transfer-encoding"
_ABSOLUTE = re.compile(rb"https?://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.IGNORECASE)
_CLOSE = {"Connection": "close"}


def origin_form(target: bytes, headers: Headers) -> tuple[bytes, Headers] | None:
    """The path and query of a request's target, and the headers with the host of the target.

    Clients send whole URLs to proxies; every server must take them, too.

    Returns:
        None if the target is neither a path nor a URL.
    """
    if target.startswith(b"/"):
        return (target, headers) if b"#" not in target else None
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    rest = match["rest"] if match["rest"].startswith(b"/") else b"/" + match["rest"]
    host = (b"host", match["authority"])
    named = [host if header[0] == b"host" else header for header in headers]
    return rest, named if host in named else [host, *named]


async def probe(write: Callable[[], Awaitable[None]]) -> None:
    """Find out whether a client that sends no more still waits for its response.

    One that has closed its side looks the same as one that is gone, until it gets data. Clients
    skip this interim response, at any number. The machine of one that is gone refuses it, which the
    next one finds out.

    Args:
        write: sends `CONTINUE`, if no response has begun.
    """
    await asyncio.sleep(FIRST_PROBE_SECONDS)
    seconds = SECOND_PROBE_SECONDS
    while True:
        await write()
        await asyncio.sleep(seconds)
        seconds *= 2


class RequestCheck:
    """Refuses requests that aren't HTTP, that two readers may read differently, or for other hosts.

    A server that can't parse a request says so by `MALFORMED` in its state, at any time until its
    body is complete.
    """

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts
        self._last_host: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]

        async def receive_well_formed() -> Message:
            message = await receive()
            if MALFORMED in state:
                raise _malformed(state[MALFORMED])
            return message

        try:
            self._check(scope)
        except ProblemError as problem:
            await problem_response(scope, problem)(scope, receive, send)
        else:
            await self._app(scope, receive_well_formed, send)

    def _check(self, scope: Scope) -> None:
        if MALFORMED in scope["state"]:
            raise _malformed(scope["state"][MALFORMED])
        # A server counts what it receives until a header ends, which may all be in one piece.
        if _header_bytes(scope) > MAX_HEADER_BYTES:
            raise _malformed(431)
        version = scope["http_version"]
        if version not in _VERSIONS:
            raise ProblemError(505, f"HTTP/{version} is not spoken here.", headers=_CLOSE)
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]) or TRANSFER_ENCODING in headers:
            _check_framing(scope)
        host = headers.get(b"host")
        # Most requests are for the same host.
        if host is not None and host != self._last_host:
            self._check_host(host)
            self._last_host = host

    def _check_host(self, given: bytes) -> None:
        name = host_name(given.decode("latin-1"))
        if name is None:
            raise ProblemError(400, "The header Host is not a host.")
        if name not in self._hosts:
            raise ProblemError(
                421,
                f"Requests to the host {shorten(name)!r} are not for this server; "
                "SERVE_ALLOWED_HOSTS names those that are.",
            )


def _check_framing(scope: Scope) -> None:
    """Check that all readers see the same headers and the same end of the body."""
    names = [name for name, _ in scope["headers"]]
    # Where a body ends is open then, so nothing more is read from this connection.
    close = _CLOSE if scope["http_version"].startswith("1") else None
    for name in _SINGLE:
        if names.count(name) > 1:
            detail = f"The request has more than one header {name.decode().title()}."
            raise ProblemError(400, detail, headers=close)
    codings = [value.lower() for name, value in scope["headers"] if name == TRANSFER_ENCODING]
    if codings and codings != [b"chunked"]:
        raise ProblemError(400, "Transfer-Encoding is not chunked.", headers=close)
    if codings and b"content-length" in names:
        detail = "The request has both Content-Length and Transfer-Encoding."
        raise ProblemError(400, detail, headers=close)


def _header_bytes(scope: Scope) -> int:
    target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    headers = scope["headers"]
    # Each has a colon and a space, and ends with CR and LF.
    return target + sum(map(len, itertools.chain.from_iterable(headers))) + 4 * len(headers)


def _malformed(status: int) -> ProblemError:
    # h11 has one for unknown transfer codings, too.
    status = status if status in _REASONS else 400
    headers = {**_CLOSE, **RETRY_AFTER} if status == 503 else _CLOSE
    return ProblemError(status, _REASONS[status], headers=headers)
