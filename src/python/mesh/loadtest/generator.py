"""The load generator, a separate process: `LoadPlan` on stdin, an `Exchange` a line on stdout.

Locust replaces Python's sockets and threads when it is imported, which would affect other programs.
"""

import itertools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from mesh.loadtest.plan import Exchange, LoadPlan

if TYPE_CHECKING:
    from locust import FastHttpUser

RECONNECT_SECONDS = 0.1
"""A user without a connection waits this long, to spare a dead server."""


class Recorder:
    """Writes the outcome of each request."""

    def __init__(self, output: TextIO) -> None:
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
        """Record a request: Locust's event `request`, with `response_time` in milliseconds."""
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
        try:
            self._output.write(exchange.model_dump_json(exclude_none=True) + "\n")
            self._output.flush()
        except BrokenPipeError:
            # The program has ended. Locust would catch the exception and continue.
            os._exit(1)


def user_class(plan: LoadPlan) -> "type[FastHttpUser]":
    """Locust's class of users for a plan."""
    import gevent
    from locust import FastHttpUser, constant

    offsets = itertools.count()

    class PlanUser(FastHttpUser):
        host = plan.url
        wait_time = constant(plan.think_seconds)
        network_timeout = plan.timeout_seconds
        connection_timeout = plan.timeout_seconds
        insecure = False

        def on_start(self) -> None:
            # Users begin at different requests, so that they don't all send the same one at once.
            start = next(offsets) * len(plan.requests) // plan.users
            self.positions = itertools.cycle(
                position % len(plan.requests)
                for position in range(start, start + len(plan.requests))
            )

        def send_next(self) -> None:
            position = next(self.positions)
            request = plan.requests[position]
            response = self.client.request(
                request.method,
                request.path,
                data=request.body,
                headers={"Content-Type": "application/json"} if request.body else {},
                allow_redirects=False,
                context={"request": position},
            )
            if response.status_code == 0:
                gevent.sleep(RECONNECT_SECONDS)

    PlanUser.tasks = [PlanUser.send_next]
    return PlanUser


def generate(plan: LoadPlan, output: TextIO) -> None:
    """Carry out a plan; requests in flight when the time is up are waited for."""
    import gevent
    from locust.env import Environment

    environment = Environment(
        user_classes=[user_class(plan)],
        # Without the slowest requests, the measurements would be too good.
        stop_timeout=plan.timeout_seconds + 1,
        catch_exceptions=False,
    )
    environment.events.request.add_listener(Recorder(output))  # type: ignore[no-untyped-call]
    runner = environment.create_local_runner()
    end = time.monotonic() + plan.run_seconds

    def stop() -> None:
        # Gevent counts from when its loop last ran, so its timers may be early.
        while (left := end - time.monotonic()) > 0:
            gevent.sleep(left)
        runner.quit()

    gevent.spawn(stop)
    runner.start(plan.users, spawn_rate=plan.spawn_rate)
    runner.greenlet.join()


if __name__ == "__main__":
    generate(LoadPlan.model_validate_json(sys.stdin.read()), sys.stdout)
