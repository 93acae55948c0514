"""The load generator, a separate process: `LoadPlan` on stdin, an `Exchange` a line on stdout.

The last line has its own figures.

Locust replaces Python's sockets and threads when it is imported, which would affect other programs.
"""

import errno
import itertools
import os
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from mesh.loadtest.plan import KEY_VARIABLE, Exchange, GeneratorFigures, LoadPlan, key_header

if TYPE_CHECKING:
    from locust import FastHttpUser

RECONNECT_SECONDS = 0.1
"""A user without a connection waits this long, to spare a dead server."""

LAG_SECONDS = 0.05
"""Time between two measurements of the generator's lag."""


class Recorder:
    """Writes the outcome of each request."""

    def __init__(self, output: TextIO) -> None:
        self.refused_here = 0
        self.reopened = 0
        self._output = output
        self._responses: dict[bytes, int] = {}
        self._started = time.time()

    def __call__(
        self,
        *,
        response_time: float,
        response: Any,
        exception: Exception | None,
        start_time: float,
        context: dict[str, Any],
        **_others: Any,
    ) -> None:
        """Record a request: Locust's event `request`, with `response_time` in milliseconds.

        A request that finds its kept connection closed isn't one: it is sent again.
        """
        if context["kept"] and isinstance(exception, _closed()):
            context["closed"] = True
            self.reopened += 1
            return
        if getattr(exception, "errno", None) == errno.EMFILE:
            self.refused_here += 1
        status = response.status_code
        error = None
        if exception and status in (0, 200):
            error = f"{type(exception).__name__}: {exception}"
        number, body = None, None
        if status == 200 and error is None:
            content = response.content or b""
            if content not in self._responses:
                self._responses[content] = len(self._responses)
                body = content.decode(errors="replace")
            number = self._responses[content]
        exchange = Exchange(
            request=context["request"],
            start=start_time - self._started,
            seconds=response_time / 1000,
            status=status,
            error=error,
            response=number,
            body=body,
        )
        self.write(exchange)

    def write(self, message: Exchange | GeneratorFigures) -> None:
        """Write a message as a line."""
        try:
            self._output.write(message.model_dump_json(exclude_none=True) + "\n")
            self._output.flush()
        except BrokenPipeError:
            # The program has ended. Locust would catch the exception and continue.
            os._exit(1)


def _closed() -> tuple[type[Exception], ...]:
    """The errors of a connection that the server has closed."""
    from geventhttpclient.response import HTTPConnectionClosed

    return HTTPConnectionClosed, ConnectionResetError, BrokenPipeError


class Watch:
    """Measures the generator itself: the users it started, its lag and its processor time."""

    def __init__(self) -> None:
        self.users = 0
        self._lags = [0.0]
        self._started = time.monotonic()
        self._processor = time.process_time()

    def measure_lag(self) -> None:
        """Sleep again and again, and keep how much later than planned each sleep ended."""
        import gevent

        while True:
            planned = time.monotonic() + LAG_SECONDS
            gevent.sleep(LAG_SECONDS)
            self._lags.append(max(0.0, time.monotonic() - planned))

    def figures(self, recorder: Recorder) -> GeneratorFigures:
        """The figures so far."""
        seconds = time.monotonic() - self._started
        return GeneratorFigures(
            users_started=self.users,
            processor=(time.process_time() - self._processor) / seconds,
            lag_p50_ms=1000 * statistics.median(self._lags),
            lag_max_ms=1000 * max(self._lags),
            connections_reopened=recorder.reopened,
            connections_refused_here=recorder.refused_here,
        )


def user_class(plan: LoadPlan, watch: Watch) -> "type[FastHttpUser]":
    """Locust's class of users for a plan."""
    import gevent
    import gevent.ssl
    from locust import FastHttpUser, constant

    offsets = itertools.count()
    key = key_header(os.environ.get(KEY_VARIABLE))

    class PlanUser(FastHttpUser):
        host = plan.url
        wait_time = constant(plan.think_seconds)
        network_timeout = plan.timeout_seconds
        connection_timeout = plan.timeout_seconds
        insecure = False
        # The client would name certificates of its own.
        ssl_context_factory = staticmethod(
            lambda **_: gevent.ssl.create_default_context(cafile=plan.ca_file)
        )
        keeps_connection = False

        def on_start(self) -> None:
            # Users begin at different requests, so that they don't all send the same one at once.
            watch.users += 1
            start = next(offsets) * len(plan.requests) // plan.users
            self.positions = itertools.cycle(
                position % len(plan.requests)
                for position in range(start, start + len(plan.requests))
            )

        def send_next(self) -> None:
            position = next(self.positions)
            if self.send(position, kept=self.keeps_connection) is None:
                self.send(position, kept=False)
            if not self.keeps_connection:
                gevent.sleep(RECONNECT_SECONDS)

        def send(self, position: int, *, kept: bool) -> int | None:
            """Send a request; return the response's status, or None if the connection was closed."""
            request = plan.requests[position]
            context = {"request": position, "kept": kept}
            response = self.client.request(
                request.method,
                request.path,
                data=request.body,
                headers={**key, **({"Content-Type": "application/json"} if request.body else {})},
                allow_redirects=False,
                context=context,
            )
            status = None if "closed" in context else int(response.status_code)
            self.keeps_connection = bool(status)
            return status

    PlanUser.tasks = [PlanUser.send_next]
    return PlanUser


def generate(plan: LoadPlan, output: TextIO) -> None:
    """Carry out a plan; requests in flight when the time is up are waited for."""
    import gevent
    from locust.env import Environment

    allow_open_files()
    watch, recorder = Watch(), Recorder(output)
    environment = Environment(
        user_classes=[user_class(plan, watch)],
        # Without the slowest requests, the measurements would be too good.
        stop_timeout=plan.timeout_seconds + 1,
        catch_exceptions=False,
    )
    environment.events.request.add_listener(recorder)  # type: ignore[no-untyped-call]
    runner = environment.create_local_runner()
    end = time.monotonic() + plan.run_seconds

    def stop() -> None:
        # Gevent counts from when its loop last ran, so its timers may be early.
        while (left := end - time.monotonic()) > 0:
            gevent.sleep(left)
        runner.quit()

    gevent.spawn(stop)
    gevent.spawn(watch.measure_lag)
    runner.start(plan.users, spawn_rate=plan.spawn_rate)
    runner.greenlet.join()
    recorder.write(watch.figures(recorder))


def allow_open_files() -> None:
    """Raise the limit of open files as far as the system allows; each user needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS refuses a limit above its own constant, even if it says that there is none.
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    generate(LoadPlan.model_validate_json(sys.stdin.read()), sys.stdout)
