"""The time of trainings in float32 and in bfloat16, on the same rows, in turns.

./pants run benchmarks:training_speed
"""

import logging
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.report import print_table
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.samples import packaged_file
from mesh.core.settings import MeshSettings
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.recipe import Recipe, Training
from mesh.lifecycle.training.checkpoints import prepare_base
from mesh.lifecycle.training.precision import find_precision
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.nlp.tagging import tag_set
from ner.recipe import RECIPE as NER
from sentiment.recipe import RECIPE as SENTIMENT

logger = logging.getLogger("benchmarks.training_speed")


class Settings(MeshSettings):
    """Compare the time that trainings take in float32 and in bfloat16."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    rows: int = Field(2000, ge=100, description="Rows of the shipped samples.")
    rounds: int = Field(2, ge=1, description="How often each trains; the best time counts.")


@dataclass(frozen=True)
class Seconds:
    """What a training took."""

    wall: float
    cpu: float


def run(settings: Settings) -> None:
    """Train, measure, and print the table."""
    # Ends here, with a sentence, where the processor has no bfloat16.
    find_precision("bfloat16", "cpu")
    rows = []
    for recipe in (SENTIMENT, NER):
        train = _trainer(recipe, settings.rows)
        found: dict[str, list[Seconds]] = {"float32": [], "bfloat16": []}
        for _ in range(settings.rounds):
            for precision, seconds in found.items():
                logger.info("training %s in %s", recipe.project.name, precision)
                seconds.append(train(precision))
        best = {
            name: (min(each.wall for each in seconds), min(each.cpu for each in seconds))
            for name, seconds in found.items()
        }
        for name, (wall, cpu) in best.items():
            ratios = [
                f"{one / two:.2f}" for one, two in zip((wall, cpu), best["float32"], strict=False)
            ]
            per_row = [f"{seconds / settings.rows * 1e3:.2f}" for seconds in (wall, cpu)]
            rows.append([f"{recipe.project.name}, {name}", *per_row, *ratios])
    print_table(
        f"Seconds for 1,000 rows in one epoch, best of {settings.rounds}",
        ["", "wall", "CPU", "wall, of float32", "CPU, of float32"],
        rows,
        packages=("torch", "transformers"),
        notes=["With the start of the training and its end, which take a second or two."],
    )


def _trainer(recipe: Recipe, count: int) -> Callable[[str], Seconds]:
    """Trains one epoch of a project on some of its shipped rows, in a precision."""
    from mesh.lifecycle.training.network import train_network

    training, address = recipe.training, recipe.base_model
    if training is None or address is None:
        raise MeshError(f"{recipe.project.name} isn't trained.")
    rows = _shipped(training, count)
    labels = training.labels
    outputs = tag_set(labels) if recipe.task == "token-classification" else labels

    def train(precision: str) -> Seconds:
        settings = FineTuneSettings.model_validate(
            {"base_model": address, "epochs": 1, "device": "cpu", "precision": precision}
        )
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            base = prepare_base(resolve_base_model(address), training.prepare, work)
            started = time.perf_counter(), time.process_time()
            few = rows[:64]
            train_network(
                base, recipe.task, outputs, rows, few, few, settings, work, training.augment
            )
            return Seconds(time.perf_counter() - started[0], time.process_time() - started[1])

    return train


def _shipped(training: Training, count: int) -> Sequence[Any]:
    dataset = training.dataset
    files = sorted(packaged_file(dataset.samples).glob("*.jsonl"))
    rows = [
        dataset.row.model_validate_json(line)
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return random.Random(1).sample(rows, count)  # noqa: S311 - no secret


main = Program(component="benchmarks", name="training_speed", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
