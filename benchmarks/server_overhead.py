"""The server's overhead: a model that does nothing, and bare Starlette on the same servers.

Some of the servers send traces to a collector beside them.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.http_load import Run, closed_loop, post
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess, free_port, python_module, start
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

REQUEST = post("/v1/model/empty/predict", b'{"text": "hello"}')
RESPONSE = b'{"text":"hello"}'
BARE = "Starlette, uvicorn"
THREAD = "Starlette in a thread, uvicorn"
"""Handlers in threads, which any model needs that computes for longer than a moment."""

TRACED = {"mesh traced, uvicorn": "1", "mesh traced 1 in 100, uvicorn": "0.01"}
"""Servers whose requests are traced, and the fraction of them."""

Turn = tuple[float, float, float]
"""Requests per second, their p99 in seconds, and CPU seconds per request."""


class OverheadSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    rounds: int = Field(7, ge=1, description="Turns of every server.")
    seconds: float = Field(1.0, gt=0, description="Length of a turn.")
    clients: int = Field(16, ge=1, description="Simultaneous connections.")


def main_run(settings: OverheadSettings) -> None:
    """Start all servers, let them take turns, print the medians."""
    untraced = (BARE, THREAD, "mesh, uvicorn", "Starlette, hypercorn", "mesh, hypercorn")
    with ExitStack() as stack:
        collector = stack.enter_context(_start_collector())
        servers = {
            (name, logs): stack.enter_context(_start(name, collector.port, logs=logs))
            for logs in (True, False)
            for name in (*untraced, *TRACED)
        }
        figures: dict[tuple[str, bool], list[Turn]] = {key: [] for key in servers}
        for _ in range(settings.rounds):
            for key, server in servers.items():
                figures[key].append(_turn(server, settings))
    print_table(
        f"An empty model, {settings.clients} clients, median of {settings.rounds} turns of "
        f"{settings.seconds:g} s",
        ("server", "access log", "requests/s", "of bare", "p99 ms", "CPU µs/request"),
        [
            [name, "yes" if logs else "no", *_figures(turns, figures[BARE, logs])]
            for (name, logs), turns in figures.items()
        ],
        packages=("starlette", "uvicorn", "hypercorn", "uvloop", "pydantic"),
    )


def _figures(turns: Sequence[Turn], bare: Sequence[Turn]) -> list[str]:
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in zip(turns, bare, strict=True))
    rate, p99, cpu = (statistics.median(column) for column in zip(*turns, strict=True))
    return [f"{rate:,.0f}", f"{ratio:.2f}", f"{p99 * 1e3:.1f}", f"{cpu * 1e6:.0f}"]


def _start_collector() -> AbstractContextManager[ServerProcess]:
    port = free_port()
    return start([*python_module("benchmarks.apps.span_sink"), str(port)], port, ready="/")


def _start(name: str, collector: int, *, logs: bool) -> AbstractContextManager[ServerProcess]:
    app, _, server = name.partition(", ")
    port = free_port()
    if app.startswith("mesh"):
        command = [*python_module("benchmarks.apps.empty_model"), f"--port={port}"]
        command += [f"--server={server}"]
    else:
        command = [*python_module("benchmarks.apps.bare_starlette"), server, str(port)]
        command += ["logs" if logs else "quiet"]
        command += ["thread" if name == THREAD else "loop"]
    environment = {"MESH_LOG_LEVEL": "INFO" if logs else "WARNING", **_tracing(name, collector)}
    return start(command, port, ready="/v1/ready", environment=environment)


def _tracing(name: str, collector: int) -> Mapping[str, str]:
    """The variables of a traced server."""
    if name not in TRACED:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": TRACED[name],
    }


def _turn(server: ServerProcess, settings: OverheadSettings) -> Turn:
    before = server.cpu_seconds()
    run: Run = closed_loop(
        server.port, [REQUEST], clients=settings.clients, seconds=settings.seconds
    )
    wrong = [
        response
        for response in run.responses
        if (response.status, response.body) != (200, RESPONSE)
    ]
    if wrong:
        raise MeshError(f"The server returned {wrong[0]}.")
    cpu = (server.cpu_seconds() - before) / len(run.responses)
    return run.rate, run.percentile(0.99), cpu


main = Program(
    component="benchmarks", name="server_overhead", run=main_run, settings=(OverheadSettings,)
)

if __name__ == "__main__":
    main()
