"""The interface of backends that summarise documents."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mesh.nlp.document import Document
from summarization.schema import Configuration, Reason

Task = tuple[Sequence[Document], Configuration]
"""The documents of one request, and their configuration."""


class Summary(NamedTuple):
    """A summary, or the reason why there is none."""

    text: str
    reason: Reason | None = None


NO_TEXT = Summary("", "no_text")


class Summarizer(Protocol):
    """A thread-safe backend."""

    def summarize(self, tasks: Sequence[Task]) -> list[list[Summary] | Exception]:
        """Summarise the documents of several requests together.

        Returns:
            For each request, its summaries in the order of its documents, or its error.
        """
        ...
