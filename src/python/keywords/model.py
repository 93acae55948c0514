"""Keyword extraction: candidates and documents are embedded, and the nearest candidates returned.

The results are those of KeyBERT (Grootendorst, 2020) 0.9 on the same model, called with a list of
plain texts, except where KeyBERT tears words, has no result or one of another shape:

- Words are whole in every script, and markup is taken out first; see `keywords.candidates`.
- `candidates` are found as they are written, and those that are missing are named.
- Each document gets a list. KeyBERT returns a bare list for a single document, and one empty list
  for all documents if none of them has a candidate.
- Repeated `candidates` count once; KeyBERT returns nothing at all.
- `top_n` above `nr_candidates` with max-sum, and unknown languages, are refused with an error
  message.
- Equal similarities come in the (alphabetical) order of the candidates; KeyBERT's order varies.
- `seed_keywords` is one list for all documents; an empty one has no effect, where KeyBERT fails.

The mode "phrases" has other candidates and another ranking; see `keywords.key_phrases` and
`keywords.ranking.phrase_relevance`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from keywords.candidates import (
    Candidates,
    find_candidates,
    match_candidates,
    read_english_stop_words,
    resolve_stop_words,
)
from keywords.documents import Passages, read_passages
from keywords.embeddings import EmbeddingCache, Vocabulary
from keywords.ranking import (
    Ranked,
    max_sum_distance,
    maximal_marginal_relevance,
    most_relevant,
    phrase_relevance,
)
from keywords.schema import Configuration, Keyword, Prediction
from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import Encoder
from mesh.core.errors import UsageError
from mesh.core.passes import checkpoint
from mesh.nlp.stop_words import StopWords


class CountingEncoder(Encoder, Protocol):
    """An encoder that counts what it doesn't read."""

    def overflow_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text that `embed` does not read."""
        ...


class TooManyCandidatesError(UsageError):
    """The documents of one request yield more distinct candidates than the extractor embeds."""


@dataclass(frozen=True)
class _Request:
    configuration: Configuration
    documents: list[Passages]
    texts: list[str]
    candidates: list[Candidates]

    @property
    def texts_with_candidates(self) -> list[str]:
        """The texts that need an embedding."""
        pairs = zip(self.texts, self.candidates, strict=True)
        return [text for text, own in pairs if own.found]

    @property
    def phrases(self) -> list[str]:
        """The candidates and seed keywords to embed, in order, with repetitions."""
        found = list(chain.from_iterable(own.found for own in self.candidates))
        return [*found, *(self.configuration.seed_keywords or ())] if found else []


@dataclass(frozen=True)
class _Embeddings:
    """Embeddings by text: `matrix` is float32 (len(rows), dim)."""

    rows: dict[str, int]
    matrix: NDArray[np.float32]

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.matrix[[self.rows[text] for text in texts]]


class KeywordExtractor:
    """Extracts keywords with a sentence-embedding model; as thread-safe as its encoder.

    Args:
        encoder: embeds documents and candidates.
        english_stop_words: the list named "english".
        vocabulary: words whose embeddings are known.
        cache_entries: the number of candidates whose embeddings are remembered across requests
            (see `EmbeddingCache`).
        max_candidates: maximum number of distinct candidates in one request.

    Attributes:
        cache: the remembered embeddings, with counters; more may be stored ahead of requests.
    """

    def __init__(
        self,
        encoder: CountingEncoder,
        english_stop_words: Sequence[str] | frozenset[str],
        *,
        vocabulary: Vocabulary | None = None,
        cache_entries: int = 32_768,
        max_candidates: int = 20_000,
    ) -> None:
        self.cache = EmbeddingCache(cache_entries)
        self._encoder = encoder
        self._known = (vocabulary, self.cache) if vocabulary else (self.cache,)
        self._english_stop_words = StopWords(english_stop_words)
        self._max_candidates = max_candidates

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the network, stop words and vocabulary in the folder `compiled/` of a version.

        Raises:
            MeshError: as `CompiledModel.load` does.
        """
        encoder = CompiledModel.load(folder)
        return cls(encoder, read_english_stop_words(folder), vocabulary=Vocabulary.read(folder))

    def extract(
        self, documents: Sequence[str], configuration: Configuration | None = None
    ) -> list[Prediction]:
        """The keywords of each document, in the documents' order.

        Raises:
            TooManyCandidatesError: there are more than `max_candidates` distinct candidates.
        """
        [result] = self.extract_batch([(documents, configuration or Configuration())])
        if isinstance(result, TooManyCandidatesError):
            raise result
        return result

    def extract_batch(
        self, requests: Sequence[tuple[Sequence[str], Configuration]]
    ) -> list[list[Prediction] | TooManyCandidatesError]:
        """Extract for several independent requests with one call of the encoder.

        Args:
            requests: documents and configuration of each; documents count together for `min_df`,
                requests do not.

        Returns:
            The predictions for each request, or the error that `extract` would raise for it.
        """
        prepared = [self._prepare(*request) for request in requests]
        accepted = [request for request in prepared if isinstance(request, _Request)]
        embeddings = self._embed(accepted)
        texts = [text for request in accepted for text in request.texts]
        overflow = iter(self._encoder.overflow_tokens(texts) if texts else [])
        return [
            (
                _predict(request, embeddings, [next(overflow) > 0 for _ in request.texts])
                if isinstance(request, _Request)
                else request
            )
            for request in prepared
        ]

    def _prepare(
        self, documents: Sequence[str], configuration: Configuration
    ) -> _Request | TooManyCandidatesError:
        passages = [read_passages(text, configuration) for text in documents]
        if configuration.candidate_mode == "phrases":
            candidates = _phrases(passages, configuration)
        else:
            candidates = self._ngrams(passages, configuration)
        distinct = len(set(chain.from_iterable(own.found for own in candidates)))
        if distinct > self._max_candidates:
            return TooManyCandidatesError(
                f"The documents have {distinct:,} distinct candidate keywords, more than "
                f"{self._max_candidates:,}: send fewer or shorter documents, or let keywords have "
                "fewer words."
            )
        return _Request(configuration, passages, [item.text for item in passages], candidates)

    def _ngrams(
        self, documents: Sequence[Passages], configuration: Configuration
    ) -> list[Candidates]:
        ngram_range = configuration.keyphrase_ngram_range
        stop_words = resolve_stop_words(configuration.stop_words, self._english_stop_words)
        if configuration.candidates is None:
            return find_candidates(documents, ngram_range, stop_words, configuration.min_df)
        return match_candidates(documents, configuration.candidates, ngram_range, stop_words)

    def _embed(self, requests: Sequence[_Request]) -> _Embeddings:
        """Embed, in one call, each distinct text that isn't in the vocabulary or the cache."""
        missing = list(dict.fromkeys(chain.from_iterable(item.phrases for item in requests)))
        rows: dict[str, int] = {}
        parts: list[NDArray[np.float32]] = []
        for known in self._known:
            positions, found = known.find(missing)
            if positions:
                rows.update(zip((missing[at] for at in positions), count(len(rows)), strict=False))
                parts.append(found)
                missing = [phrase for phrase in missing if phrase not in rows]
        documents = chain.from_iterable(item.texts_with_candidates for item in requests)
        texts = list(
            dict.fromkeys(chain(missing, (text for text in documents if text not in rows)))
        )
        if texts:
            computed = self._encoder.embed(texts)
            self.cache.store(missing, computed[: len(missing)])
            rows.update(zip(texts, count(len(rows)), strict=False))
            parts.append(computed)
        return _Embeddings(rows, np.concatenate(parts) if parts else np.empty((0, 0), np.float32))


def _phrases(documents: Sequence[Passages], configuration: Configuration) -> list[Candidates]:
    # Most servers are never asked for phrases.
    from keywords.border_words import resolve_border_words
    from keywords.key_phrases import PhraseRules, find_phrases, match_phrases

    rules = PhraseRules(
        resolve_border_words(configuration.stop_words),
        configuration.language,
        configuration.max_phrase_words,
    )
    if configuration.candidates is None:
        return find_phrases(documents, rules, configuration.min_df)
    return match_phrases(documents, configuration.candidates, rules)


def _predict(
    request: _Request, embeddings: _Embeddings, truncated: Sequence[bool]
) -> list[Prediction]:
    rows = zip(request.documents, request.texts, request.candidates, truncated, strict=True)
    return [
        Prediction(
            markup=document.markup,
            predicted_document=_keywords(text, own, request.configuration, embeddings),
            truncated=cut,
            unmatched_candidates=own.unmatched,
        )
        for document, text, own, cut in rows
    ]


def _keywords(
    text: str,
    candidates: Candidates,
    configuration: Configuration,
    embeddings: _Embeddings,
) -> list[Keyword]:
    checkpoint()
    if not candidates.found:
        return []
    target = embeddings.of([text])[0]
    if configuration.seed_keywords:
        target = _guided(target, embeddings.of(configuration.seed_keywords))
    embedded = embeddings.of(candidates.found)
    relevance = embedded @ target
    if configuration.candidate_mode == "phrases":
        relevance = phrase_relevance(relevance, candidates.places, configuration.max_phrase_words)
    return [
        Keyword(keyword_token=candidates.found[index], keyword_score=score)
        for index, score in _rank(relevance, embedded, configuration)
    ]


def _guided(document: NDArray[np.float32], seeds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move the document's embedding a quarter of the way to the seeds' mean; its length stays 1."""
    drawn: NDArray[np.float32] = (3 * document + seeds.mean(axis=0)) / 4
    return drawn / np.linalg.norm(drawn)


def _rank(
    relevance: NDArray[np.float32],
    candidates: NDArray[np.float32],
    configuration: Configuration,
) -> Ranked:
    if configuration.use_mmr:
        return maximal_marginal_relevance(
            relevance, candidates, configuration.top_n, configuration.diversity
        )
    if configuration.use_maxsum:
        return max_sum_distance(
            relevance, candidates, configuration.top_n, configuration.nr_candidates
        )
    return most_relevant(relevance, configuration.top_n)
