"""The run of a plan in a separate load generator, and its progress."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator

from pydantic import TypeAdapter

from mesh.core.errors import MeshError
from mesh.core.progress import SECONDS_BETWEEN_LINES
from mesh.loadtest.plan import KEY_VARIABLE, Exchange, GeneratorFigures, LoadPlan

logger = logging.getLogger(__name__)

GENERATOR = "mesh.loadtest.generator"

_MESSAGES: TypeAdapter[Exchange | GeneratorFigures] = TypeAdapter(Exchange | GeneratorFigures)


def run_plan(plan: LoadPlan, ended: Callable[[GeneratorFigures], None]) -> Iterator[Exchange]:
    """Start a load generator and yield its exchanges as they arrive.

    Args:
        ended: called with the generator's own figures at its end.

    Raises:
        MeshError: the generator failed.
    """
    key = {KEY_VARIABLE: plan.api_key.get_secret_value()} if plan.api_key else {}
    python_path = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-m", GENERATOR],
        env={**os.environ, **key, "PYTHONPATH": python_path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        # Ctrl-C goes to this program, which ends the generator.
        start_new_session=True,
    )
    with process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 - they are pipes
        try:
            process.stdin.write(plan.model_dump_json())
            process.stdin.close()
            for line in process.stdout:
                message = _MESSAGES.validate_json(line)
                if isinstance(message, Exchange):
                    yield message
                else:
                    ended(message)
            process.wait()
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode:
        raise MeshError(
            f"The load generator ended with exit code {process.returncode}; its message is above."
        )


def show_progress(exchanges: Iterable[Exchange], seconds: float) -> Iterator[Exchange]:
    """Yield the exchanges while showing their number: a bar on a terminal, plain lines elsewhere.

    Responses are compared after the load; until then, each one without status 200 is a failure.
    """
    if sys.stderr.isatty():
        yield from _bar(exchanges, seconds)
    else:
        yield from _lines(exchanges, seconds)


class _Count:
    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0

    def add(self, exchange: Exchange) -> None:
        self.requests += 1
        self.failures += exchange.status != 200 or exchange.error is not None

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.failures} failures"


def _bar(exchanges: Iterable[Exchange], seconds: float) -> Iterator[Exchange]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    count = _Count()
    columns = (
        TextColumn("load"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(str(count), total=seconds)
        for exchange in exchanges:
            count.add(exchange)
            progress.update(
                task,
                completed=min(exchange.start + exchange.seconds, seconds),
                description=str(count),
            )
            yield exchange


def _lines(exchanges: Iterable[Exchange], seconds: float) -> Iterator[Exchange]:
    count = _Count()
    reported = time.monotonic()
    for exchange in exchanges:
        count.add(exchange)
        yield exchange
        if time.monotonic() - reported >= SECONDS_BETWEEN_LINES:
            reported = time.monotonic()
            done = min(exchange.start + exchange.seconds, seconds)
            logger.info("%.0f of %g s: %s", done, seconds, count)
