"""Around each request: its id, log line and metrics, and the response to a defect."""

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable

from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.serve.availability import Availability, Phase
from mesh.serve.metrics import Metrics
from mesh.serve.problems import (
    DEFECT,
    RETRY_AFTER,
    ProblemError,
    forget_frames,
    problem_response,
    shorten,
)

# The access log's name is documented: logging is configured by it.
logger = logging.getLogger("mesh.serve.access")

REQUEST_ID = b"x-request-id"
MORE_HEADERS = "more_headers"
"""The key in a request's state of headers that its response gets, whatever it is."""

CALLER = "caller"
"""The key in a request's state of who sent it, where the server asks."""

EXEMPLAR = "exemplar"
"""The key in a request's state of the exemplar of its duration, where it is traced."""

CLIENT_LEFT = 499
"""The status that nginx logs when the client left before its response."""
QUIET_ROUTES = frozenset(
    {
        *("/v1/live", "/v1/ready", "/v2/health/live", "/v2/health/ready", "/metrics"),
        "/grpc.health.v1.Health/Check",
        "/inference.GRPCInferenceService/ServerLive",
        "/inference.GRPCInferenceService/ServerReady",
    }
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

CUT_OFF = "The server was shut down before the response was ready; try again."

_VALID_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_FIRST_ERROR = 400
# A key or a token that a client has put into the path, where there is nothing.
SECRET = re.compile(r"mesh_[0-9a-f]{12}_[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,2}")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


class Traffic:
    """Counts the requests in progress.

    Attributes:
        idle: set while there are none.
        cut_off: the number of requests that the server ended without a response.
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
    """Gives each request an id, turns exceptions into status 500, and records the response.

    The id is the client's X-Request-ID if it is 1 to 128 plain characters, else a new one. It comes
    back in the response's header, in problem details, and in the log.
    """

    def __init__(
        self, app: ASGIApp, availability: Availability, traffic: Traffic, metrics: Metrics
    ) -> None:
        self._app = app
        self._availability = availability
        self._traffic = traffic
        self._metrics = metrics
        # By their labels: finding a metric's child takes longer than counting with it.
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = CLIENT_LEFT
        started = time.perf_counter()

        def send_recorded(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete_headers(scope, message, request_id)
            return send(message)

        self._traffic.enter()
        try:
            await self._app(scope, receive, send_recorded)
        except (ClientDisconnect, GeneratorExit):
            pass
        except BaseException as error:
            problem = self._problem(error, request_id)
            is_under_way = status != CLIENT_LEFT
            if not is_under_way:
                await problem_response(scope, problem)(scope, receive, send_recorded)
            if is_under_way or _is_cut_off(error):
                raise
        finally:
            self._traffic.leave()
            self._record(scope, request_id, status, time.perf_counter() - started)

    def _problem(self, error: BaseException, request_id: str) -> ProblemError:
        """What a client gets to know of an exception; the log has the rest."""
        if isinstance(error, ProblemError):
            return error
        if _is_cut_off(error):
            self._traffic.cut_off += 1
            return ProblemError(503, CUT_OFF, headers=RETRY_AFTER)
        # Extensions in Rust panic with exceptions that aren't an `Exception`.
        logger.error(
            "Request %s failed", request_id, extra={"request_id": request_id}, exc_info=error
        )
        forget_frames(error)
        return ProblemError(500, DEFECT)

    def _complete_headers(self, scope: Scope, message: Message, request_id: str) -> None:
        more = scope["state"].get(MORE_HEADERS, ())
        message["headers"] = [*message["headers"], (REQUEST_ID, request_id.encode("ascii")), *more]
        is_ending = self._availability.phase in (Phase.DRAINING, Phase.CLOSED)
        if is_ending and scope["http_version"].startswith("1"):
            MutableHeaders(scope=message)["Connection"] = "close"

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._count(scope["method"], route, status, seconds, scope["state"].get(EXEMPLAR))
        level = logging.DEBUG if route in QUIET_ROUTES and status in (200, 503) else logging.INFO
        if not logger.isEnabledFor(level):
            return
        client = scope.get("client")
        client_addr = f"{client[0]}:{client[1]}" if client else "-"
        target = target_of(scope)
        if status >= _FIRST_ERROR:
            target = SECRET.sub("***", target)
        request_line = f"{scope['method']} {target} HTTP/{scope['http_version']}"
        caller = {CALLER: scope["state"][CALLER]} if CALLER in scope["state"] else {}
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
                **caller,
            },
        )

    def _count(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        exemplar: dict[str, str] | None,
    ) -> None:
        method = method if method in METHODS else "OTHER"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self._metrics.requests.labels(method, route, str(status))
            self._counters[method, route, status] = counter
        timer = self._timers.get((method, route))
        if timer is None:
            timer = self._metrics.request_seconds.labels(method, route)
            self._timers[method, route] = timer
        counter.inc()
        timer.observe(seconds, exemplar)


def _is_cut_off(error: BaseException) -> bool:
    """Whether the server ends the request, not a defect with the same exception."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def request_id_of(scope: Scope) -> str:
    """The client's id of a request, if it is 1 to 128 plain characters, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            given: str = value.decode("latin-1")
            return given if _VALID_ID.fullmatch(given) else _new_id()
    return _new_id()


def _new_id() -> str:
    # Unique, not secret: the system's random numbers take ten times as long, and release the
    # interpreter lock.
    return f"{random.getrandbits(128):032x}"


def target_of(scope: Scope) -> str:
    """The path as it was sent, without the query, which may hold secrets."""
    path = scope.get("raw_path") or scope["path"].encode()
    return shorten(_UNPRINTABLE.sub("?", path.decode("latin-1")))
