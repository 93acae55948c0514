"""Summaries of a document's own sentences: central but dissimilar ones, in their order.

Centrality is continuous LexRank (Erkan and Radev, "LexRank: Graph-based lexical centrality as
salience in text summarization", 2004, section 3.3) on the embeddings' cosine similarities.
Sentences are chosen by maximal marginal relevance (Carbonell and Goldstein, "The use of MMR,
diversity-based reranking", 1998).
"""

from collections.abc import Sequence

import numpy as np

from mesh.compile.text_model import Encoder, Floats
from mesh.core.errors import UsageError
from mesh.nlp.document import Document
from summarization.length import count_words
from summarization.pieces import Pieces, read_pieces
from summarization.schema import Configuration
from summarization.summarizer import NO_TEXT, Summary, Task

MAX_PIECES = 1_000
"""Limit for one request. Embedding this many takes some ten seconds on one core."""

# More than the encoder reads.
_ENCODED_CHARACTERS = 4_000

_JUMP = 0.15
_CONVERGED = 1e-6
_MAX_ITERATIONS = 100
_RELEVANCE = 0.7
# Two sentences this similar say the same.
_SAME = 0.9


class ExtractiveSummarizer:
    """Chooses sentences by their embeddings. Equal requests get equal responses."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def summarize(self, tasks: Sequence[Task]) -> list[list[Summary] | Exception]:
        """Summarise the documents of several requests with one call of the encoder."""
        prepared = [_prepare(*task) for task in tasks]
        texts = [
            text[:_ENCODED_CHARACTERS]
            for documents in prepared
            if not isinstance(documents, UsageError)
            for pieces in documents
            for text in pieces.texts
        ]
        embeddings = self._encoder.embed(texts) if texts else np.empty((0, 0), np.float32)
        answers: list[list[Summary] | Exception] = []
        start = 0
        for (_, configuration), documents in zip(tasks, prepared, strict=True):
            if isinstance(documents, UsageError):
                answers.append(documents)
                continue
            summaries = []
            for pieces in documents:
                own = embeddings[start : start + len(pieces.texts)]
                start += len(pieces.texts)
                summaries.append(_summary(pieces, own, configuration.desired_length))
            answers.append(summaries)
        return answers


def _prepare(
    documents: Sequence[Document], configuration: Configuration
) -> list[Pieces] | UsageError:
    """The pieces of each document."""
    target = configuration.target_language
    if target not in (None, configuration.language):
        return UsageError(
            f"The backend extractive can't write {target} summaries of {configuration.language} "
            "documents: omit target_language."
        )
    pieces = [read_pieces(document, configuration) for document in documents]
    count = sum(len(texts) for texts, _ in pieces)
    if count > MAX_PIECES:
        return UsageError(
            f"The documents have {count:,} sentences or lines, more than {MAX_PIECES:,}: send fewer "
            "or shorter documents."
        )
    return pieces


def _summary(pieces: Pieces, embeddings: Floats, desired_length: int) -> Summary:
    if not pieces.texts:
        return NO_TEXT
    lengths = [count_words(text) for text in pieces.texts]
    similarity = np.maximum(embeddings @ embeddings.T, 0)
    chosen = choose(centrality(similarity), similarity, lengths, desired_length)
    if not chosen:
        return Summary("", "no_sentence_fits")
    return Summary(pieces.separator.join(pieces.texts[index] for index in sorted(chosen)))


def centrality(similarity: Floats) -> Floats:
    """The centrality of n sentences: the stationary distribution of a walk to similar sentences.

    The walk never stays in place; otherwise, a sentence unlike all others would keep its rank to
    itself.

    Args:
        similarity: float32 (n, n), symmetric, from 0 to 1; the diagonal is ignored.

    Returns:
        float32 (n,), the largest being 1.
    """
    count = len(similarity)
    others = similarity * (1 - np.eye(count, dtype=np.float32))
    total = others.sum(axis=1, keepdims=True)
    # From a sentence unlike all others, the walk goes anywhere.
    step = np.where(total > 0, others / np.maximum(total, 1e-12), 1 / count)
    rank = np.full(count, 1 / count, dtype=np.float32)
    for _ in range(_MAX_ITERATIONS):
        after = _JUMP / count + (1 - _JUMP) * (rank @ step)
        change = np.abs(after - rank).sum()
        rank = after
        if change < _CONVERGED:
            break
    scaled: Floats = rank / rank.max()
    return scaled


def choose(
    centrality: Floats, similarity: Floats, lengths: Sequence[int], desired_length: int
) -> list[int]:
    """Choose sentences one by one: of those that fit, the most central and least redundant one.

    Args:
        centrality: float32 (n,), up to 1.
        similarity: float32 (n, n).
        lengths: number of words in each sentence; one without words is never chosen.
        desired_length: maximum number of words in all chosen sentences.

    Returns:
        Indices in the order of choice; empty if no sentence fits.
    """
    sizes = np.asarray(lengths)
    left = desired_length
    chosen: list[int] = []
    redundancy = np.zeros(len(sizes), dtype=np.float32)
    while True:
        # A chosen sentence is fully similar to itself, so it isn't chosen again.
        open_ = (sizes > 0) & (sizes <= left) & (redundancy < _SAME)
        open_[chosen] = False
        if not open_.any():
            return chosen
        relevance = _RELEVANCE * centrality - (1 - _RELEVANCE) * redundancy
        best = int(np.where(open_, relevance, -np.inf).argmax())
        chosen.append(best)
        left -= int(sizes[best])
        redundancy = np.maximum(redundancy, similarity[best])
