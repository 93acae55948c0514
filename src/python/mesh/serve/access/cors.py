"""Pages of other origins that may call the server from browsers (CORS)."""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh.serve.access.lists import ANY_ORIGIN
from mesh.serve.middleware import MORE_HEADERS
from mesh.serve.problems import ProblemError, shorten

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID, traceparent, tracestate",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, X-Request-ID")
_ORIGIN = b"access-control-allow-origin"
_VARY = (b"vary", b"Origin")


class Cors:
    """Tells browsers which pages may read responses, and answers what they ask before requests.

    Cookies play no part: callers send a key or token themselves.

    Args:
        origins: as browsers write them, or `*`.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer a preflight."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        is_allowed = origin is not None and self._allows(origin)
        scope["state"][MORE_HEADERS] = self._headers(origin, is_allowed=is_allowed)
        if scope["method"] != "OPTIONS" or b"access-control-request-method" not in headers:
            await self._app(scope, receive, send)
        elif is_allowed:
            await Response(status_code=204, headers=_ALLOWED)(scope, receive, send)
        else:
            name = shorten((origin or b"").decode("latin-1"))
            raise ProblemError(
                403, f"Pages of {name!r} may not call this server; SERVE_CORS_ORIGINS names those."
            )

    def _allows(self, origin: bytes) -> bool:
        return ANY_ORIGIN in self._origins or origin.decode("latin-1") in self._origins

    def _headers(self, origin: bytes | None, *, is_allowed: bool) -> list[tuple[bytes, bytes]]:
        if ANY_ORIGIN in self._origins:
            return [(_ORIGIN, b"*"), _EXPOSED]
        # Caches may not give one origin's response to another.
        return [(_ORIGIN, origin), _EXPOSED, _VARY] if origin and is_allowed else [_VARY]
