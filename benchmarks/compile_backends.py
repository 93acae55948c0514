"""The backends of compiled models, in each of their precisions: start, memory, speed, distance.

Contestants take turns, and CPU time is counted, not wall time, so other work on the machine disturbs
little.
"""

import importlib
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import WEIGHTS, compiled_keywords, paragraphs
from benchmarks.report import print_table
from mesh.compile.parity import ParityReport, check_parity
from mesh.compile.spec import Backend, CompileSpec
from mesh.compile.text_model import Network, Use
from mesh.core.devices import CPU
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.compile_backends")

PARITY_TEXTS = 8
SHAPES = ((1, 3), (1, 200), (8, 200), (32, 8))
"""Rows and tokens of a pass: a word, a paragraph, a batch of paragraphs, one of keywords."""

# What a server does first, in a process of its own.
START = """
import json, pathlib, sys, time
from mesh.core.devices import Placement
from mesh.compile.artifact import CompiledModel
with Placement(precision=sys.argv[2]).applied():
    model = CompiledModel.load(pathlib.Path(sys.argv[1]))
model.embed(["a text"])
started = time.process_time()
model.embed(json.loads(sys.argv[3]))
status = pathlib.Path("/proc/self/status").read_text().splitlines()
[resident] = [line.split()[1] for line in status if line.startswith("VmRSS")]
print(json.dumps([started, int(resident) / 1024]))
"""


class Settings(MeshSettings):
    """Compare the backends of compiled models."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    backends: tuple[Backend, ...] = Field(
        ("onnx", "openvino", "generic"), description="Backends; their packages must be installed."
    )
    rounds: int = Field(12, ge=1, description="How often each pass is run; the best time counts.")


@dataclass
class Contestant:
    """A network in one precision.

    Args:
        seconds: CPU time of a fresh process until its first result.
        mebibytes: its resident memory after 16 paragraphs.
        best: CPU seconds of each shape's best pass.
    """

    name: str
    network: Network
    parity: ParityReport
    seconds: float
    mebibytes: float
    best: dict[tuple[int, int], float] = field(default_factory=dict)


def run(settings: Settings) -> None:
    """Compile for each backend, measure, and print the table."""
    with ExitStack() as stack:
        contestants = [
            contestant
            for backend in settings.backends
            for contestant in _contestants(backend, stack)
        ]
        for _ in range(settings.rounds):
            for shape in SHAPES:
                for contestant in contestants:
                    seconds = _pass_seconds(contestant.network, shape)
                    contestant.best[shape] = min(contestant.best.get(shape, seconds), seconds)
    print_table(
        f"CPU time of one core, best of {settings.rounds}",
        [
            *("", "start, s", "MiB"),
            *(f"{rows} x {tokens}, ms" for rows, tokens in SHAPES),
            *("largest difference", "smallest cosine"),
        ],
        [
            [
                contestant.name,
                f"{contestant.seconds:.2f}",
                f"{contestant.mebibytes:.0f}",
                *(f"{contestant.best[shape] * 1e3:.1f}" for shape in SHAPES),
                f"{contestant.parity.max_abs_difference:.1e}",
                f"{contestant.parity.min_cosine:.7f}",
            ]
            for contestant in contestants
        ],
        packages=("torch", "transformers", "onnxruntime", "openvino"),
        notes=[
            "Start: import, load, first result in a fresh process. MiB: resident after 16 "
            "paragraphs. Passes: rows x tokens.",
            f"Differences from the uncompiled model on {PARITY_TEXTS} paragraphs and a text of "
            "more than 512 tokens, alone and together.",
        ],
    )


def _contestants(backend: Backend, stack: ExitStack) -> Iterator[Contestant]:
    """The weights compiled for a backend, in each precision that it has here."""
    loader: Any = importlib.import_module(f"mesh.compile.loaders.{backend}")
    precisions: list[Precision] = sorted(loader.precisions(), key=lambda name: name != FLOAT32)
    compiled = compiled_keywords(backend, vocabulary_words=0, precisions=precisions)
    directory = stack.enter_context(compiled)
    logger.info("checking the parity of %s", backend)
    parity = check_parity(WEIGHTS, directory, paragraphs()[:PARITY_TEXTS]).by_precision
    for precision in precisions:
        use = Use(CPU, threads=1, callers=1, precision=precision)
        network = loader.load(directory, CompileSpec.read(directory), use)
        seconds, mebibytes = _start(directory, precision)
        yield Contestant(f"{backend}, {precision}", network, parity[precision], seconds, mebibytes)


def _start(directory: Path, precision: Precision) -> tuple[float, float]:
    texts = json.dumps(paragraphs()[:16])
    command = [sys.executable, "-c", START, str(directory), precision, texts]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def _pass_seconds(network: Network, shape: tuple[int, int]) -> float:
    ids = np.random.default_rng(0).integers(1_000, 30_000, shape)
    mask = np.ones_like(ids)
    started = time.process_time()
    network.run(ids, mask)
    return time.process_time() - started


main = Program(component="benchmarks", name="compile_backends", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
