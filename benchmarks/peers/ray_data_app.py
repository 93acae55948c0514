"""Ray Data's `map_batches` over a pipeline of Hugging Face: INPUT WEIGHTS OUTPUT WORKERS."""

import sys
from typing import Any

import ray
import torch
from transformers import pipeline

input_path, weights, output_path, workers = sys.argv[1:]


class Predict:
    """The pipeline, with one thread of torch."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._pipeline = pipeline(
            "text-classification", model=weights, device="cpu", batch_size=8, top_k=None
        )

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = self._pipeline(list(batch["text"]), truncation=True)
        best = [max(each, key=lambda one: one["score"]) for each in found]
        return {"id": batch["id"], "label": [each["label"] for each in best]}


# Reading and writing need a core beside those of the models.
ray.init(address="local", num_cpus=int(workers) + 1, include_dashboard=False)
ray.data.read_parquet(input_path).map_batches(
    Predict, batch_size=64, num_cpus=1, compute=ray.data.ActorPoolStrategy(size=int(workers))
).write_parquet(output_path)
