"""What the server adds to a request: a model that does nothing, beside bare Starlette on the same servers."""

import statistics
from contextlib import AbstractContextManager
from contextlib import ExitStack

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from rich.console import Console
from rich.table import Table

from benchmarks.http_load import Run
from benchmarks.http_load import closed_loop
from benchmarks.http_load import post
from benchmarks.server_process import ServerProcess
from benchmarks.server_process import free_port
from benchmarks.server_process import python_module
from benchmarks.server_process import start
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

REQUEST = post("/v1/model/empty/predict", b'{"text": "hello"}')
ANSWER = b'{"text":"hello"}'
BARE = "Starlette, uvicorn"


class OverheadSettings(MeshSettings):
    """How long is measured."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    rounds: int = Field(7, ge=1, description="Turns that every server gets.")
    seconds: float = Field(1.0, gt=0, description="Length of a turn.")
    clients: int = Field(16, ge=1, description="Connections that wait for their answers.")


def main_run(settings: OverheadSettings) -> None:
    """Start all servers, give them turns, print the medians."""
    with ExitStack() as stack:
        servers = {
            (name, logs): stack.enter_context(_start(name, logs=logs))
            for logs in (True, False)
            for name in (BARE, "mesh, uvicorn", "Starlette, hypercorn", "mesh, hypercorn")
        }
        figures: dict[tuple[str, bool], list[tuple[float, float, float]]] = {
            key: [] for key in servers
        }
        for _ in range(settings.rounds):
            for key, server in servers.items():
                figures[key].append(_turn(server, settings))
    table = Table(title=f"Requests a second, {settings.clients} clients, an empty model")
    for column in ("server", "access log", "requests/s", "of bare", "p99 ms", "CPU µs/request"):
        table.add_column(column, justify="left" if column in ("server", "access log") else "right")
    for (name, logs), turns in figures.items():
        ratio = statistics.median(
            ours[0] / bare[0] for ours, bare in zip(turns, figures[BARE, logs], strict=True)
        )
        rate, p99, cpu = (statistics.median(column) for column in zip(*turns, strict=True))
        table.add_row(
            name,
            "yes" if logs else "no",
            f"{rate:,.0f}",
            f"{ratio:.2f}",
            f"{p99 * 1e3:.1f}",
            f"{cpu * 1e6:.0f}",
        )
    Console(width=100).print(table)


def _start(name: str, *, logs: bool) -> AbstractContextManager[ServerProcess]:
    app, _, server = name.partition(", ")
    port = free_port()
    if app == "mesh":
        command = [*python_module("benchmarks.apps.empty_model"), f"--port={port}"]
        command += [f"--server={server}"]
    else:
        command = [*python_module("benchmarks.apps.bare_starlette"), server, str(port)]
        command += ["logs" if logs else "quiet"]
    level = {"MESH_LOG_LEVEL": "INFO" if logs else "WARNING"}
    return start(command, port, ready="/v1/ready", environment=level)


def _turn(server: ServerProcess, settings: OverheadSettings) -> tuple[float, float, float]:
    before = server.cpu_seconds()
    run: Run = closed_loop(
        server.port, [REQUEST], clients=settings.clients, seconds=settings.seconds
    )
    wrong = [answer for answer in run.answers if (answer.status, answer.body) != (200, ANSWER)]
    if wrong:
        raise MeshError(f"The server answered {wrong[0]}.")
    cpu = (server.cpu_seconds() - before) / len(run.answers)
    return run.rate, run.percentile(0.99), cpu


main = Program(
    component="benchmarks", name="server_overhead", run=main_run, settings=(OverheadSettings,)
)

if __name__ == "__main__":
    main()
