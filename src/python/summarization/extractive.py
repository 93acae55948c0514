"""Summaries of a document's own sentences: central, early and dissimilar ones, in their order."""

from collections.abc import Sequence

from mesh.core.errors import UsageError
from mesh.serve.results import attempt
from summarization.pieces import Pieces, read_pieces
from summarization.ranking import centrality, choose, position_prior, stems
from summarization.schema import Configuration
from summarization.summarizer import NO_TEXT, Summary, Task

MAX_PIECES = 20_000
"""Limit for one request. Ranking this many takes a second or two on one core."""


class ExtractiveSummarizer:
    """Chooses sentences by their words and positions. Equal requests get equal responses."""

    def summarize(self, tasks: Sequence[Task]) -> list[list[Summary] | Exception]:
        """Summarise the documents of several requests, one after another."""
        return [attempt(_summarize, task) for task in tasks]


def _summarize(task: Task) -> list[Summary]:
    documents, configuration = task
    target = configuration.target_language
    if target not in (None, configuration.language):
        raise UsageError(
            f"The backend extractive can't write {target} summaries of {configuration.language} "
            "documents: omit target_language."
        )
    read = [read_pieces(document, configuration) for document in documents]
    count = sum(len(pieces.texts) for pieces in read)
    if count > MAX_PIECES:
        raise UsageError(
            f"The documents have {count:,} sentences or lines, more than {MAX_PIECES:,}: send fewer "
            "or shorter documents."
        )
    return [_summary(pieces, configuration) for pieces in read]


def _summary(pieces: Pieces, configuration: Configuration) -> Summary:
    if not pieces.texts:
        return NO_TEXT
    desired_length = configuration.desired_length
    sentences = [stems(text, configuration.language) for text in pieces.texts]
    share = min(1, desired_length / max(1, sum(pieces.lengths)))
    prior = position_prior(len(sentences), share, configuration.position_weight)
    scores = [central * early for central, early in zip(centrality(sentences), prior, strict=True)]
    chosen = choose(scores, sentences, pieces.lengths, desired_length)
    if not chosen:
        return Summary("", "no_sentence_fits")
    return Summary(pieces.separator.join(pieces.texts[index] for index in sorted(chosen)))
