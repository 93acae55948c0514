"""Lets requests in, or refuses them: by certificate, key, token, scope and rate."""

import base64
import binascii
import math
import re
from collections.abc import Callable

from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Request

from mesh.serve.access.keys import PREFIX, Keys
from mesh.serve.access.lists import parse_address
from mesh.serve.access.rates import RateLimiter
from mesh.serve.access.refusals import RefusalError, unauthorized
from mesh.serve.access.scopes import ALL_SCOPES, Caller, Scope
from mesh.serve.middleware import CALLER
from mesh.serve.problems import RETRY_AFTER, ProblemError, shorten
from mesh.serve.request_check import CERTIFICATE

_PROBES = re.compile(
    r"/v1/(live|ready)|/v2/health/(live|ready)|/v2/models/[^/]+(/versions/[^/]+)?/ready"
    # Over gRPC.
    r"|/inference\.GRPCInferenceService/(Server(Live|Ready)|ModelReady)|/grpc\.health\.v1\.Health/Check"
)
_INSPECTED = re.compile(r"/metrics|/openapi\.json|/docs(/.*)?|/v1/model/[^/]+/bio")
_AUTHORIZATION = b"authorization"
_ANYONE = Caller("address", "", ALL_SCOPES)
"""Where nobody says who they are."""


def needed_scope(path: str) -> Scope | None:
    """What a caller needs for a path; None for probes. Paths that don't exist need one, too."""
    if _PROBES.fullmatch(path):
        return None
    return Scope.INSPECT if _INSPECTED.fullmatch(path) else Scope.PREDICT


class Guard:
    """Checks who asks before a request is routed.

    Args:
        keys: those that are accepted now, or None while they can't be read; None where callers have
            no keys.
        check_token: says who has a token; None where callers have no tokens.
        needs_certificate: whether callers need one.
        requests_per_minute: of each caller.
        inspect_port: where what is inspected is open, and alone; None where callers need the scope.
        refusals: counts them by reason.
        rates: of the callers, over all protocols.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Callable[[], Keys | None] | None,
        check_token: Callable[[str], Caller] | None,
        needs_certificate: bool,
        requests_per_minute: int | None,
        inspect_port: int | None,
        refusals: Counter,
        rates: RateLimiter,
    ) -> None:
        self._app = app
        self._keys = keys
        self._check_token = check_token
        self._needs_certificate = needs_certificate
        self._needs_credentials = keys is not None or check_token is not None
        self._requests_per_minute = requests_per_minute
        self._inspect_port = inspect_port
        self._refusals = refusals
        self._rates = rates

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and (needed := needed_scope(scope["path"])) is not None:
            try:
                self._check(scope, needed)
            except RefusalError as refusal:
                self._refusals.labels(refusal.reason).inc()
                if self._keys is not None and refusal.status == 401 and scope["method"] == "GET":
                    # Browsers ask for a key then, and show /docs.
                    challenge = {"WWW-Authenticate": 'Basic realm="mesh", charset="UTF-8"'}
                    raise ProblemError(401, refusal.detail, headers=challenge) from None
                raise
        await self._app(scope, receive, send)

    def _check(self, scope: Request, needed: Scope) -> None:
        if self._inspect_port is not None:
            is_there = scope["server"][1] == self._inspect_port
            if is_there != (needed is Scope.INSPECT):
                raise ProblemError(
                    404, f"There is nothing at {shorten(scope['path'])} on this port."
                )
            if is_there:
                return
        caller = self._caller(scope)
        if caller is not _ANYONE:
            scope["state"][CALLER] = str(caller)
        self._check_rate(scope, caller)
        if needed not in caller.scopes:
            granted = ", ".join(sorted(caller.scopes)) or "no scope"
            raise RefusalError(
                "scope", 403, f"The {caller} has {granted}, and {needed} is needed here."
            )

    def _caller(self, scope: Request) -> Caller:
        certificate = scope["state"].get(CERTIFICATE)
        if self._needs_certificate and certificate is None:
            raise RefusalError(
                "certificate", 403, "The client has no certificate; one is needed here."
            )
        if not self._needs_credentials:
            return Caller("certificate", certificate, ALL_SCOPES) if certificate else _ANYONE
        text = _credentials(scope)
        if text.startswith(PREFIX) and self._keys is not None:
            return _caller_of_key(text, self._keys())
        if self._check_token is not None:
            return self._check_token(text)
        raise unauthorized("unknown", "The key is not known here.")

    def _check_rate(self, scope: Request, caller: Caller) -> None:
        per_minute = caller.requests_per_minute or self._requests_per_minute
        if per_minute is None:
            return
        who = f"address {_network(scope)}" if caller is _ANYONE else str(caller)
        wait = self._rates.wait(who, per_minute)
        if wait > 0:
            raise RefusalError(
                "rate",
                429,
                f"More than {per_minute} requests a minute came from the {who}.",
                headers={"Retry-After": str(math.ceil(wait))},
            )


def _caller_of_key(text: str, keys: Keys | None) -> Caller:
    """Who has a key.

    Raises:
        RefusalError: 401, or 503 while keys can't be read.
    """
    if keys is None:
        detail = "The server can't read its keys at the moment; try again later."
        raise RefusalError("unverifiable", 503, detail, headers=RETRY_AFTER)
    key = keys.find(text)
    if key is None:
        raise unauthorized("unknown", "The key is not known here.")
    if key.is_expired:
        raise unauthorized("expired", f"The key {key.name} expired at {key.expires:%F %R %Z}.")
    return key.caller


def _credentials(scope: Request) -> str:
    """The key or token that a request has: as a bearer, or as the password of HTTP's own login.

    Raises:
        RefusalError: 401, there is none, or more than one.
    """
    values: list[bytes] = [value for name, value in scope["headers"] if name == _AUTHORIZATION]
    if not values:
        raise unauthorized("missing", "A key is needed, in the header `Authorization: Bearer KEY`.")
    scheme, _, text = values[0].decode("latin-1").strip().partition(" ")
    if len(values) > 1:
        raise unauthorized("unknown", "The request has more than one header Authorization.")
    match scheme.lower():
        case "bearer":
            return text.strip()
        case "basic":
            return _password(text.strip())
    raise unauthorized("unknown", "The header Authorization needs the scheme Bearer.")


def _password(text: str) -> str:
    try:
        decoded = base64.b64decode(text, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        raise unauthorized("unknown", "The header Authorization is malformed.") from None
    return decoded.partition(":")[2]


def _network(scope: Request) -> str:
    """Whose requests are counted together: an address, or the network that IPv6 gives to one line."""
    client = scope.get("client")
    address = parse_address(client[0]) if client else None
    if address is None:
        return "unknown"
    return str(address) if address.version == 4 else address.exploded[:19]
