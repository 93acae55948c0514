"""A project's server beside hostile clients: honest clients' times, `/v1/live` and memory.

./pants run benchmarks:hostile_clients -- --project=summarization
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.apps.hostile_client import PATIENCE_SECONDS
from benchmarks.http_load import Run, each_once, open_loop_and_probe, post
from benchmarks.models import paragraphs
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess, project_server, python_module
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

REFUSALS = {"200", "400", "408", "411", "413", "422", "431", "501", "503", "504"}
"""Statuses that a hostile request may get; another one is a fault of the server."""


class HostileClientsSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    project: Literal["entity-fishing", "keywords", "lsh", "ner", "sentiment", "summarization"] = (
        Field("keywords", description="Whose server; its version in models/ where it has one.")
    )
    seconds: float = Field(300, gt=0, description="Duration with hostile clients.")
    quiet_seconds: float = Field(60, gt=0, description="Duration without them, before and after.")
    slices: int = Field(5, ge=1, description="Rows that the time with hostile clients makes.")
    rate: float = Field(5, gt=0, description="Honest requests per second.")
    between: float = Field(1, gt=0, description="Seconds from one attack to the next.")


def main_run(settings: HostileClientsSettings) -> None:
    """Measure without hostile clients, with them, and without them again."""
    path = f"/v1/model/{settings.project}/predict"
    bodies = ({"inputs": [{"document": text}]} for text in paragraphs())
    sent = [post(path, json.dumps(body).encode()) for body in bodies]
    with project_server(settings.project.replace("-", "_")) as server:
        each_once(server.port, sent, clients=8)
        rows = [_row("without", server, sent, settings.rate, settings.quiet_seconds)]
        with _attacked(server.port, path, settings) as attacks:
            each = settings.seconds / settings.slices
            for number in range(settings.slices):
                name = f"with, from {number * each / 60:.1f} min"
                rows.append(_row(name, server, sent, settings.rate, each))
            # Connections that it never ends are closed by the server.
            ended, _ = attacks.communicate(timeout=PATIENCE_SECONDS + settings.between + 30)
        rows.append(_row("without, again", server, sent, settings.rate, settings.quiet_seconds))
    outcomes: dict[str, dict[str, int]] = json.loads(ended)
    print_table(
        f"{settings.project} at {settings.rate:g} documents/s; an attack every {settings.between:g} s",
        (
            *("hostile clients", "honest responses", "p50 ms", "p99 ms", "max ms"),
            *("live p99 ms", "live max ms", "resident MiB", "of it not files"),
        ),
        rows,
        packages=("onnxruntime", "uvicorn", "starlette"),
    )
    print_table(
        "How the attacks ended",
        ("attack", "outcomes"),
        [[name, _listed(ends)] for name, ends in outcomes.items()],
    )
    wrong = {name: ends for name, ends in outcomes.items() if _wrong(ends)}
    if wrong:
        raise MeshError(f"The server answered hostile requests by {wrong}.")


def _listed(ends: dict[str, int]) -> str:
    return ", ".join(f"{outcome} {number}" for outcome, number in sorted(ends.items()))


def _wrong(ends: dict[str, int]) -> bool:
    return bool(set(ends) - REFUSALS - {"closed", "left"})


@contextmanager
def _attacked(
    port: int, path: str, settings: HostileClientsSettings
) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        *python_module("benchmarks.apps.hostile_client"),
        *(path, str(port), str(settings.seconds), str(settings.between)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _row(
    name: str, server: ServerProcess, sent: list[bytes], rate: float, seconds: float
) -> list[str]:
    honest, live = open_loop_and_probe(server.port, sent, rate=rate, seconds=seconds)
    statuses = Counter(str(response.status) for response in honest.responses)
    return [
        *(name, _listed(statuses)),
        *(_milliseconds(honest, fraction) for fraction in (0.5, 0.99, 1)),
        *(_milliseconds(live, fraction) for fraction in (0.99, 1)),
        *(f"{server.resident_mebibytes():.0f}", f"{server.anonymous_mebibytes():.0f}"),
    ]


def _milliseconds(run: Run, fraction: float) -> str:
    return f"{run.percentile(fraction) * 1e3:.0f}"


main = Program(
    component="benchmarks",
    name="hostile_clients",
    run=main_run,
    settings=(HostileClientsSettings,),
)

if __name__ == "__main__":
    main()
