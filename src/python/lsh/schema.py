"""Requests and responses of the lsh service."""

from pydantic import BaseModel, Field, field_validator

from mesh.core.errors import UsageError
from mesh.nlp.stop_words import language_code
from mesh.serve.documents import (
    MAX_LANGUAGE,
    DocumentConfiguration,
    DocumentPrediction,
    DocumentsRequest,
)

MAX_PERMUTATIONS = 256
"""The standard error of a similarity is at most 0.03 with so many; the time grows with them."""


class Configuration(DocumentConfiguration):
    """How signatures are made. Only signatures of equal configurations can be compared."""

    language: str = Field(
        default="en",
        max_length=MAX_LANGUAGE,
        description="Language of the documents, whose function words are dropped: its ISO 639-1 code "
        "or English name.",
        examples=["en", "german"],
    )
    shingle_list: int = Field(
        default=3, ge=1, le=50, description="The number of neighbouring words in a shingle."
    )
    threshold: float = Field(
        default=0.4,
        ge=0.05,
        le=0.95,
        multiple_of=0.01,
        description="Jaccard similarity of two documents' shingles above which they should share a "
        "band. The bands are chosen to minimise the areas of false positives and false negatives.",
    )
    num_perm: int = Field(
        default=128,
        ge=16,
        le=MAX_PERMUTATIONS,
        description="The number of hash values in all bands; more are more accurate.",
    )

    @field_validator("language")
    @classmethod
    def _known_language(cls, language: str) -> str:
        try:
            return language_code(language)
        except UsageError as error:
            raise ValueError(str(error)) from error


class Request(DocumentsRequest):
    """Documents, and how to make their signatures."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How signatures are made, for all documents of the request.",
    )


class Prediction(DocumentPrediction):
    """The signature of one document."""

    signature: list[str] | None = Field(
        description="The bands in base64. Two documents are candidates for near-duplicates if they "
        "have the same band at the same position. `null` for a document with fewer words than a "
        "shingle, function words not counted.",
        examples=[["AAAADw3JmbU=", "AAAAAF1mQjg="]],
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction]
    signature_version: int = Field(
        description="Signatures of different versions can't be compared: compute the older "
        "ones again.",
        examples=[3],
    )
