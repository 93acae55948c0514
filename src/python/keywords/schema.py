"""Requests and responses of the keywords service."""

from math import comb
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mesh.core.errors import UsageError
from mesh.nlp.stop_words import language_code
from mesh.serve.documents import (
    MAX_DOCUMENTS,
    MAX_LANGUAGE,
    DocumentConfiguration,
    DocumentPrediction,
    DocumentsRequest,
)

MAX_NGRAM = 5
MAX_PHRASE_WORDS = 10
MAX_COMPARISONS = 10_000_000
"""Of one request: max-sum compares every pair in every combination of `top_n` of `nr_candidates`
for each document.

This many comparisons take a fraction of a second.
"""

Phrase = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Language = Annotated[str, StringConstraints(max_length=MAX_LANGUAGE)]
NgramSize = Annotated[int, Field(ge=1, le=MAX_NGRAM)]


class Configuration(DocumentConfiguration):
    """How keywords are chosen. Every field is optional."""

    candidate_mode: Literal["ngrams", "phrases"] = Field(
        default="ngrams",
        description="Where keywords come from, and how they are ranked. `ngrams`: all runs of as "
        "many words as `keyphrase_ngram_range` says, by their similarity to the document, as in "
        "KeyBERT. `phrases`: runs of words between stop words and punctuation, by similarity, "
        "length and position.",
    )
    max_phrase_words: int = Field(
        default=4,
        ge=1,
        le=MAX_PHRASE_WORDS,
        description="With `candidate_mode` `phrases`: longest keyword, in words. Longer runs of "
        "words yield none.",
    )
    candidates: list[Phrase] | None = Field(
        default=None,
        max_length=5_000,
        description="The only keywords to choose from, instead of the phrases of the documents. "
        "They are found as whole words within a block of the document, whatever their case, number "
        "of words and stop words, and come back as they are given. Those that a document lacks are "
        "in `unmatched_candidates`.",
        examples=[["machine learning", "C++", "Training data"]],
    )
    keyphrase_ngram_range: tuple[NgramSize, NgramSize] = Field(
        default=(1, 1),
        description="With `candidate_mode` `ngrams`: shortest and longest keyword, in words; at "
        f"most {MAX_NGRAM}.",
        examples=[[1, 1], [1, 2]],
    )
    stop_words: Language | Annotated[list[Phrase], Field(max_length=5_000)] | None = Field(
        default="english",
        description="Words that are dropped from keywords: those of a language, by its English "
        "name or ISO 639-1 code, or a list of words and phrases in any case, or null for none. An "
        "n-gram may span a stop word that was dropped. With `candidate_mode` `phrases` they part "
        "phrases, and those of a language are its function words.",
        examples=["english", "de", ["the", "and", "as well as"]],
    )
    top_n: int = Field(
        default=5, ge=1, le=100, description="Maximum number of keywords for each document."
    )
    min_df: int = Field(
        default=1,
        ge=1,
        le=MAX_DOCUMENTS,
        description="A phrase is a candidate only if this many documents of the request contain "
        "it. Ignored where `candidates` are given.",
    )
    use_maxsum: bool = Field(
        default=False,
        description="Choose, among the `nr_candidates` nearest to the document, the `top_n` that "
        "are least similar to one another; the nearest comes last. A document with fewer "
        "candidates than `top_n` gets no keywords. Ignored where `use_mmr` is true.",
    )
    use_mmr: bool = Field(
        default=False,
        description="Choose by maximal marginal relevance: keywords near the document, and unlike "
        "one another.",
    )
    diversity: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="With `use_mmr`: from 0, for keywords near the document, to 1, for keywords "
        "unlike one another.",
    )
    nr_candidates: int = Field(
        default=20,
        ge=1,
        le=1_000,
        description="With `use_maxsum`: how many of the nearest candidates to choose from. At "
        "least `top_n`, and all combinations of `top_n` of them may have at most "
        f"{MAX_COMPARISONS:,} pairs, in all documents together.",
    )
    seed_keywords: list[Phrase] | None = Field(
        default=None,
        max_length=100,
        description="Words that guide the choice: keywords near their mean are preferred.",
        examples=[["technology"]],
    )

    @field_validator("keyphrase_ngram_range")
    @classmethod
    def _in_order(cls, ngram_range: tuple[int, int]) -> tuple[int, int]:
        shortest, longest = ngram_range
        if shortest > longest:
            raise ValueError(
                f"the shortest keyword, {shortest} words, is longer than the longest, {longest}"
            )
        return ngram_range

    @field_validator("stop_words")
    @classmethod
    def _known_language(cls, stop_words: str | list[str] | None) -> str | list[str] | None:
        if isinstance(stop_words, str):
            try:
                language_code(stop_words)
            except UsageError as error:
                raise ValueError(str(error)) from error
        return stop_words

    @model_validator(mode="after")
    def _of_its_mode(self) -> Self:
        phrases = self.candidate_mode == "phrases"
        other = "keyphrase_ngram_range" if phrases else "max_phrase_words"
        if getattr(self, other) != type(self).model_fields[other].default:
            own = "max_phrase_words" if phrases else "keyphrase_ngram_range"
            raise ValueError(
                f"{other} has no effect with the candidate_mode {self.candidate_mode}: leave it "
                f"out, and use {own}, or choose the other mode"
            )
        return self

    @model_validator(mode="after")
    def _computable(self) -> Self:
        if self.use_maxsum and not self.use_mmr and self.nr_candidates < self.top_n:
            raise ValueError(
                f"nr_candidates ({self.nr_candidates}) is smaller than top_n ({self.top_n}): "
                "raise the first or lower the second"
            )
        self.require_comparisons(1)
        return self

    @property
    def phrases_of_word(self) -> int:
        """The number of phrases that a word may be in."""
        if self.candidate_mode == "phrases":
            return 1
        shortest, longest = self.keyphrase_ngram_range
        return sum(range(shortest, longest + 1))

    @property
    def comparisons(self) -> int:
        """How many pairs of keywords max-sum compares for a document."""
        if not self.use_maxsum or self.use_mmr:
            return 0
        return comb(self.nr_candidates, self.top_n) * comb(self.top_n, 2)

    def require_comparisons(self, documents: int) -> None:
        """Check that max-sum can choose the keywords of this many documents.

        Raises:
            ValueError: it would compare too many pairs.
        """
        total = documents * self.comparisons
        if total > MAX_COMPARISONS:
            where = f" for {documents} documents" if documents > 1 else ""
            fewer = ", or send fewer documents" if documents > 1 else ""
            raise ValueError(
                f"choosing top_n ({self.top_n}) of nr_candidates ({self.nr_candidates}) by "
                f"max-sum{where} takes {total:,} comparisons, more than {MAX_COMPARISONS:,}: "
                f"lower one of them{fewer}"
            )

    @property
    def language(self) -> str:
        """The ISO 639-1 code of the documents' language: that of the stop words, or English."""
        return language_code(self.stop_words) if isinstance(self.stop_words, str) else "en"


class Request(DocumentsRequest):
    """Documents, and how to choose their keywords."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How keywords are chosen, for all documents of the request.",
    )

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        self.configuration.require_comparisons(len(self.inputs))
        return self


LOAD_CONFIGURATIONS = (None, {"candidate_mode": "phrases"})
"""A load test sends each request with each of these, None for none."""


class Keyword(BaseModel):
    """A keyword and its relevance to its document."""

    keyword_token: str = Field(
        description="The keyword, in lower case; a given candidate as it was given.",
        examples=["supervised"],
    )
    keyword_score: float = Field(
        description="Relevance, rounded to 4 digits. With `candidate_mode` `ngrams`: cosine "
        "similarity of the keyword's embedding to the document's, from -1 to 1. With `phrases`: "
        "mean of this similarity (0 if it is negative), of length and of position, from 0 to 1.",
        examples=[0.5988],
    )


class Prediction(DocumentPrediction):
    """The keywords of one document."""

    predicted_document: list[Keyword] = Field(
        description="At most `top_n` keywords, most relevant first (last with `use_maxsum`)."
    )
    truncated: bool = Field(
        description="Whether the document is longer than the model reads. Candidates still come "
        "from all of it, but are compared with the embedding of its beginning."
    )
    unmatched_candidates: list[str] = Field(
        description="The given `candidates` that the document doesn't contain, in the order given. "
        "Empty where none are given."
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction] = Field(description="The predictions.")
