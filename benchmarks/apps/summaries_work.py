"""Summaries by the backend `extractive`, for `peers/worker.py`."""

from collections.abc import Callable
from typing import Any

from mesh.nlp.document import read_document
from summarization.extractive import ExtractiveSummarizer
from summarization.schema import Configuration


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[str]]:
    """Summaries of at most `words` words."""
    configuration = Configuration(desired_length=setup["words"])
    summarizer = ExtractiveSummarizer()

    def summaries(texts: list[str]) -> list[str]:
        [found] = summarizer.summarize([([read_document(text) for text in texts], configuration)])
        if isinstance(found, Exception):
            raise found
        return [summary.text for summary in found]

    return summaries
