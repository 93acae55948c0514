"""The interface of backends that summarise documents."""

from collections.abc import Sequence
from typing import Protocol

from summarization.schema import Configuration

Task = tuple[Sequence[str], Configuration]
"""The documents of one request, and their configuration."""


class Summarizer(Protocol):
    """A thread-safe backend."""

    def summarize(self, tasks: Sequence[Task]) -> list[list[str] | Exception]:
        """Summarise the documents of several requests together.

        Returns:
            For each request, its summaries in the order of its documents, or its error.
        """
        ...
