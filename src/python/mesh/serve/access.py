"""Around each request: its id, its log line, its metrics, and the answer to a defect."""

import asyncio
import logging
import random
import re
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.serve.inference import RETRY_AFTER, InferenceService, Phase
from mesh.serve.problems import ProblemError, problem_response, shorten

logger = logging.getLogger(__name__)

REQUEST_ID = b"x-request-id"
CLIENT_LEFT = 499
"""What nginx logs when the client left before its answer."""
QUIET_ROUTES = frozenset(
    {"/v1/live", "/v1/ready", "/v2/health/live", "/v2/health/ready", "/metrics"}
)

CUT_OFF = "The server was shut down before the answer was ready; try again."
DEFECT = "The server failed to answer; its log says why, under this request id."

_VALID_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


class Traffic:
    """Counts the requests in progress.

    Attributes:
        idle: set while there are none.
        cut_off: how many the server gave up before they were answered.
    """

    def __init__(self) -> None:
        self.count = 0
        self.cut_off = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def enter(self) -> None:
        """Count a request that begins."""
        self.count += 1
        self.idle.clear()

    def leave(self) -> None:
        """Count a request that ends."""
        self.count -= 1
        if self.count == 0:
            self.idle.set()


class AccessMiddleware:
    """Gives each request an id, answers exceptions with status 500, and records what was answered.

    The id is the client's X-Request-ID if it is 1 to 128 plain characters, else a new one. It comes back in the
    answer's header, in problem details, and in the log.
    """

    def __init__(self, app: ASGIApp, service: InferenceService, traffic: Traffic) -> None:
        self._app = app
        self._service = service
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = CLIENT_LEFT
        started = time.perf_counter()

        async def send_recorded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete_headers(scope, message, request_id)
            await send(message)

        self._traffic.enter()
        try:
            await self._app(scope, receive, send_recorded)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:
            self._traffic.cut_off += 1
            if status == CLIENT_LEFT:
                problem = ProblemError(503, CUT_OFF, headers=RETRY_AFTER)
                await problem_response(scope, problem)(scope, receive, send_recorded)
            raise
        except Exception:
            logger.exception("Request %s failed", request_id, extra={"request_id": request_id})
            if status != CLIENT_LEFT:
                # The answer is under way; the server must cut it off.
                raise
            problem = ProblemError(500, DEFECT)
            await problem_response(scope, problem)(scope, receive, send_recorded)
        finally:
            self._traffic.leave()
            self._record(scope, request_id, status, time.perf_counter() - started)

    def _complete_headers(self, scope: Scope, message: Message, request_id: str) -> None:
        message["headers"] = [*message["headers"], (REQUEST_ID, request_id.encode("ascii"))]
        is_ending = self._service.phase in (Phase.DRAINING, Phase.CLOSED)
        if is_ending and scope["http_version"].startswith("1"):
            MutableHeaders(scope=message)["Connection"] = "close"

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._service.metrics.count_request(scope["method"], route, status, seconds)
        level = logging.DEBUG if route in QUIET_ROUTES and status in (200, 503) else logging.INFO
        if not logger.isEnabledFor(level):
            return
        client = scope.get("client")
        client_addr = f"{client[0]}:{client[1]}" if client else "-"
        request_line = f"{scope['method']} {_target(scope)} HTTP/{scope['http_version']}"
        milliseconds = round(seconds * 1000, 3)
        logger.log(
            level,
            '%s "%s" %d %.1f ms %s',
            *(client_addr, request_line, status, milliseconds, request_id),
            extra={
                "client_addr": client_addr,
                "request_line": request_line,
                "status_code": status,
                "duration_ms": milliseconds,
                "request_id": request_id,
            },
        )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            given: str = value.decode("latin-1")
            return given if _VALID_ID.fullmatch(given) else _new_id()
    return _new_id()


def _new_id() -> str:
    # Unique, not secret: the system's random numbers take ten times as long, and give up the interpreter lock.
    return f"{random.getrandbits(128):032x}"


def _target(scope: Scope) -> str:
    """The path as it was sent, without the query, which may hold what no log should."""
    path = scope.get("raw_path") or scope["path"].encode()
    return shorten(_UNPRINTABLE.sub("?", path.decode("latin-1")))
