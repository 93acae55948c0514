"""The backends of compiled models side by side: size, speed and distance from the uncompiled model.

Backends take turns, and CPU time is counted, not wall time, so other work on the machine disturbs
little.
"""

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import WEIGHTS, compiled_keywords, paragraphs
from benchmarks.report import print_table
from mesh.compile.artifact import CompiledModel
from mesh.compile.parity import ParityReport, check_parity
from mesh.compile.spec import Backend
from mesh.compile.text_model import TextModel
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.compile_backends")

PARITY_TEXTS = 8


class Settings(MeshSettings):
    """Compare the backends of compiled models."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    backends: tuple[Backend, ...] = Field(
        ("onnx", "generic"), description="Backends; their packages must be installed."
    )
    rounds: int = Field(
        5, ge=1, description="How often each text is embedded; the best time counts."
    )


@dataclass
class Contestant:
    """A loaded model and its best CPU seconds for each kind of input."""

    name: str
    model: TextModel
    size: int
    parity: ParityReport | None = None
    best: dict[str, float] = field(default_factory=dict)


def run(settings: Settings) -> None:
    """Compile for each backend, measure, and print the table."""
    texts = paragraphs()
    inputs = {
        "one word": texts[0].split()[1:2],
        "400 words": " ".join(texts[:8]).split()[:400],
        "one paragraph": texts[:1],
        "8 paragraphs": texts[:8],
    }
    with ExitStack() as stack:
        contestants = [uncompiled()]
        for backend in settings.backends:
            directory = stack.enter_context(compiled_keywords(backend, vocabulary_words=0))
            contestants.append(compiled(backend, directory, texts[:PARITY_TEXTS]))
        for _ in range(settings.rounds):
            for name, some in inputs.items():
                for contestant in contestants:
                    started = time.process_time()
                    contestant.model.embed(some)
                    seconds = time.process_time() - started
                    contestant.best[name] = min(contestant.best.get(name, seconds), seconds)
    print_table(
        f"Milliseconds of one core, best of {settings.rounds}",
        ["", "size, MB", *inputs, "largest difference", "smallest cosine"],
        [
            [
                contestant.name,
                f"{contestant.size / 1e6:.1f}",
                *(f"{seconds * 1e3:.1f}" for seconds in contestant.best.values()),
                f"{contestant.parity.max_abs_difference:.1e}" if contestant.parity else "",
                f"{contestant.parity.min_cosine:.7f}" if contestant.parity else "",
            ]
            for contestant in contestants
        ],
        packages=("torch", "transformers", "onnxruntime"),
        notes=[
            f"Differences from the uncompiled model on {PARITY_TEXTS} paragraphs and a text of "
            "more than 512 tokens, alone and together."
        ],
    )


def uncompiled() -> Contestant:
    """The weights in the framework of their training."""
    import torch

    from mesh.compile.source import spec_for
    from mesh.compile.torch_model import load_reference

    torch.set_num_threads(1)
    spec = spec_for(WEIGHTS, task="sentence-embedding", backend="generic")
    return Contestant("uncompiled", load_reference(WEIGHTS, spec), Manifest.of(WEIGHTS).size)


def compiled(backend: Backend, directory: Path, texts: list[str]) -> Contestant:
    """The weights compiled for a backend."""
    logger.info("checking the parity of %s", backend)
    parity = check_parity(WEIGHTS, directory, texts)
    model = CompiledModel.load(directory, threads=1)
    return Contestant(backend, model, Manifest.read(directory).size, parity)


main = Program(component="benchmarks", name="compile_backends", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
