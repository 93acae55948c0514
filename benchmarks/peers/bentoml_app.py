"""A task in BentoML: WORKERS processes, one thread for the network each, adaptive batches."""

import os
from typing import Any

import bentoml
import tasks


@bentoml.service(workers=int(os.environ["WORKERS"]))
class Task:
    """Results of documents."""

    def __init__(self) -> None:
        self.task = tasks.load()

    @bentoml.api(batchable=True, max_batch_size=8)
    def predict(self, documents: list[str]) -> list[Any]:
        return self.task(documents)
