"""Backfills of sentiment beside its server and Ray Data, what scheduling costs, and how they grow.

    ./pants run benchmarks:backfill -- --model-directory models/SENTIMENT-COMPILED-1 --weights FOLDER

`weights` are those of the network before it was compiled, such as `outputs/sentiment/train/model_artifacts`.
Speed is that of more documents: each contender does a small and a large input, and the times are
subtracted, so that no start counts.
"""

import json
import logging
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.backfill_runs import (
    SLEEPER,
    Watched,
    backfill,
    ray_nodes,
    texts,
    watch,
    write_input,
    write_sleeper,
)
from benchmarks.http_load import closed_loop, post
from benchmarks.peer_servers import FOLDER, make_environment
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess, free_port, python_module, start
from mesh.core.errors import MeshError, UsageError
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.backfill")

WORKERS = 2
_SHARDS = 24
"""Of the large input, so that both workers end at about the same time."""
_LOADS = ((16, 1), (4, 8), (4, 32))
"""Clients of the server, and documents of a request; the best one counts."""
_MINUTE = 60.0
_SHARDS_OF_A_WORKER = 2, 14
"""In two runs, where scheduling is measured."""


class Settings(MeshSettings):
    """Compare backfills with a server and with Ray Data, and measure how they grow."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    model_directory: Path = Field(description="A compiled version of sentiment.")
    weights: Path | None = Field(
        None,
        description="Its network before compilation, for Ray Data; without it, that is left out.",
    )
    precision: Precision = Field(
        FLOAT32, description="What backfills and the server compute in; Ray Data is in float32."
    )
    documents: int = Field(2400, ge=48, description="Documents of the large input.")
    rounds: int = Field(2, ge=1, description="Turns of each contender; the median counts.")
    seconds: float = Field(20, gt=0, description="Length of a turn of the server.")
    shard_seconds: float = Field(5, gt=0, description="Of a shard, where scheduling is measured.")
    most_rows: int = Field(1_000_000, ge=1000, description="Of the growing inputs.")
    simulated_rows: int = Field(100_000_000, ge=1000, description="Rows of the simulation.")
    simulated_shards: int = Field(10_000, ge=1, description="Its shards.")
    simulated_seconds: float = Field(10, gt=0, description="How long each of them sleeps.")
    simulated_flight: int = Field(1000, ge=1, description="How many of them sleep at once.")
    peer_python: Path | None = Field(
        None, description="Python with the peer's packages; by default, they are installed."
    )
    cache: Path = Field(
        Path.home() / ".cache" / "mesh-benchmarks", description="Folder for the peer's environment."
    )


@dataclass
class Figures:
    """What turns of a contender have shown."""

    rates: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    memory: float = 0.0
    busy: list[float] = field(default_factory=list)


def run(settings: Settings) -> None:
    """Measure, and print three tables."""
    if settings.weights and not (settings.weights / "config.json").is_file():
        raise UsageError(f"{settings.weights} has no config.json, so it holds no network.")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        folder = Path(temporary)
        write_sleeper(folder)
        _compare(settings, folder)
        _grow(settings, folder)
        _simulate(settings, folder)


def _compare(settings: Settings, folder: Path) -> None:
    found: dict[str, Figures] = {}
    small = settings.documents // 8
    inputs = [
        write_input(folder / f"{count}.parquet", texts(count), max(1, count // shards))
        for count, shards in ((small, _SHARDS // 8), (settings.documents, _SHARDS))
    ]
    own = (
        *("--model-directory", str(settings.model_directory), "--shard-mb", "0.000001"),
        *("--precision", settings.precision),
    )

    def backfilled(*flags: str) -> Callable[[Path], Watched]:
        return lambda source: backfill("sentiment", source, *own, *flags)[0]

    here = backfilled("--ray", "local", "--workers", str(WORKERS))
    for number in range(settings.rounds):
        logger.info("round %d: backfill", number)
        _add(found, "backfill, two workers", settings, [here(source) for source in inputs])
        for nodes in (1, WORKERS):
            name = f"backfill on a cluster, {nodes} node(s)"
            logger.info("round %d: %s", number, name)
            with ray_nodes(nodes, WORKERS // nodes) as address:
                there = backfilled("--ray", address)
                _add(found, name, settings, [there(source) for source in inputs])
        if settings.weights:
            logger.info("round %d: Ray Data", number)
            peer = [_ray_data(settings, source, folder) for source in inputs]
            _add(found, "Ray Data, pipeline of Hugging Face", settings, peer)
        logger.info("round %d: server", number)
        served = found.setdefault("server, its best load", Figures())
        rate, served.memory = _served(settings)
        served.rates.append(rate)
    share = _scheduling(settings, folder)
    first = statistics.median(next(iter(found.values())).rates)
    print_table(
        f"Sentiment, {settings.documents - small} documents of 1 to 8 sentences, {WORKERS} workers of "
        f"a core, median of {settings.rounds}",
        ("", "documents/s", "of the backfill", "start s", "worker peak MiB", "worker idle"),
        [_row(name, figures, first) for name, figures in found.items()],
        packages=("onnxruntime", "ray", "pyarrow"),
        notes=[
            f"Scheduling: {share * _MINUTE:.3f} s of a worker between two shards, {share:.2%} of a "
            "shard of a minute.",
            "Idle: the part of a worker's time in which it has no CPU, also since others have it.",
            "The server's clients share its cores.",
        ],
    )


def _add(found: dict[str, Figures], name: str, settings: Settings, runs: Sequence[Watched]) -> None:
    small, large = runs
    figures = found.setdefault(name, Figures())
    more = settings.documents - settings.documents // 8
    figures.rates.append(more / (large.seconds - small.seconds))
    figures.starts.append(small.seconds - settings.documents // 8 / figures.rates[-1])
    figures.memory = max(figures.memory, large.worker)
    figures.busy.append(large.busy)


def _row(name: str, figures: Figures, first: float) -> list[str]:
    rate = statistics.median(figures.rates)
    idle = 1 - statistics.median(figures.busy) if figures.busy else float("nan")
    return [
        *(name, f"{rate:.1f}", f"{rate / first:.2f}x"),
        f"{statistics.median(figures.starts):.1f}" if figures.starts else "",
        f"{figures.memory:.0f}" if figures.memory else "",
        f"{idle:.1%}" if idle == idle else "",
    ]


def _ray_data(settings: Settings, source: Path, folder: Path) -> Watched:
    python = (
        settings.peer_python
        or make_environment(FOLDER / "ray_data.txt", settings.cache) / "bin/python"
    )
    with tempfile.TemporaryDirectory(dir=folder) as output:
        command = [str(python), str(FOLDER / "ray_data_app.py"), str(source)]
        command += [str(settings.weights), output, str(WORKERS)]
        variables = {"PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}
        return watch(command, variables=variables)


def _served(settings: Settings) -> tuple[float, float]:
    """Documents a second of the server under its best load, and its memory in MiB."""
    port = free_port()
    command = [*python_module("mesh.core.start"), "sentiment.serve", "serve", f"--port={port}"]
    variables = {
        "SERVE_MODEL_DIRECTORY": str(settings.model_directory.absolute()),
        "SERVE_PRECISION": settings.precision,
        "MESH_LOG_LEVEL": "WARNING",
    }
    documents = texts(settings.documents)
    best = 0.0
    with ExitStack() as stack:
        server: ServerProcess = stack.enter_context(
            start(command, port, ready="/v1/ready", environment=variables)
        )
        for clients, together in _LOADS:
            requests = [
                _request(documents[first : first + together])
                for first in range(0, len(documents) - together + 1, together)
            ]
            closed_loop(port, requests, clients=clients, seconds=1)
            load = closed_loop(port, requests, clients=clients, seconds=settings.seconds)
            if {response.status for response in load.responses} != {200}:
                raise MeshError(f"The server refuses requests of {together} documents.")
            best = max(best, load.rate * together)
        return best, server.resident_mebibytes()


def _request(documents: Sequence[str]) -> bytes:
    body = {"inputs": [{"document": document} for document in documents]}
    return post("/v1/model/sentiment/predict", json.dumps(body).encode())


def _scheduling(settings: Settings, folder: Path) -> float:
    """What a worker waits for between two shards, as a part of a shard of a minute."""
    rows = 10
    seconds = []
    for shards in _SHARDS_OF_A_WORKER:
        source = write_input(folder / "sleep.parquet", ["text"] * rows * shards * WORKERS, rows)
        flags = ("--ray", "local", "--workers", str(WORKERS), "--shard-mb", "0.000001")
        sleep = str(settings.shard_seconds / rows)
        watched, _ = backfill(SLEEPER, source, *flags, code=folder, SLEEPER_SECONDS=sleep)
        seconds.append(watched.seconds)
    few, many = _SHARDS_OF_A_WORKER
    return ((seconds[1] - seconds[0]) / (many - few) - settings.shard_seconds) / _MINUTE


def _grow(settings: Settings, folder: Path) -> None:
    rows: list[list[str]] = []
    count = 1000
    while count <= settings.most_rows:
        logger.info("%d rows", count)
        source = folder / "rows.jsonl"
        with source.open("w") as file:
            for number in range(count):
                text = f"row {number} has a text of a few words that is always about as long"
                file.write(f"{json.dumps({'id': number, 'text': text})}\n")
        flags = ("--ray", "local", "--workers", str(WORKERS), "--shard-mb", "1")
        watched, summary = backfill(SLEEPER, source, *flags, code=folder)
        rows.append(
            [
                *(f"{count:,}", f"{summary['shards']:,}", f"{watched.seconds:.1f}"),
                f"{watched.seconds / count * 1e6:,.0f}",
                *(f"{watched.driver:.0f}", f"{watched.worker:.0f}"),
                f"{summary['manifest'] / 1e3:,.0f}",
            ]
        )
        count *= 10
    print_table(
        "Rows of about 90 bytes and a model that does nothing, shards of 1 MB, with the start",
        ("rows", "shards", "s", "µs a row", "driver peak MiB", "worker peak MiB", "manifest kB"),
        rows,
        packages=("ray", "pyarrow"),
    )


def _simulate(settings: Settings, folder: Path) -> None:
    logger.info("simulation")
    numbers = (
        *(settings.simulated_rows, settings.simulated_shards),
        *(settings.simulated_seconds, settings.simulated_flight),
    )
    result = folder / "simulation.json"
    command = [*python_module("benchmarks.backfill_simulation"), *map(str, numbers), str(result)]
    watch(command, code=folder)
    figures = json.loads(result.read_bytes())
    print_table(
        f"Simulation: {figures['rows']:,} rows in {settings.simulated_shards:,} shards that sleep for "
        f"{settings.simulated_seconds:g} s, {settings.simulated_flight:,} in flight",
        ("", "s", "of no scheduling", "driver CPU s", "driver peak MiB", "manifest MB"),
        [
            [
                *("all shards", f"{figures['seconds']:.1f}"),
                f"{figures['seconds'] / figures['ideal']:.3f}x",
                *(f"{figures['driver_cpu']:.1f}", f"{figures['driver_mb']:.0f}"),
                f"{figures['manifest'] / 1e6:.1f}",
            ]
        ],
        packages=("ray",),
        notes=[
            "Real: the driver's code, Ray, a call for each shard with its arguments and its record, the "
            "board. Simulated: the input, which no file has, and the shards, which sleep as coroutines "
            "of one process. No rows are read, computed or written.",
        ],
    )


main = Program(component="benchmarks", name="backfill", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
