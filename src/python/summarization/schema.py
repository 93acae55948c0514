"""Requests and responses of the summarization service."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

from mesh.serve.documents import DocumentConfiguration, DocumentPrediction, DocumentsRequest

Backend = Literal["extractive", "chat"]
Reason = Literal["no_text", "no_sentence_fits"]
"""Why a summary is empty."""


class Language(StrEnum):
    """The languages that texts may be in, by ISO 639-1 code."""

    CATALAN = "ca"
    GERMAN = "de"
    ENGLISH = "en"
    SPANISH = "es"
    FRENCH = "fr"
    ITALIAN = "it"
    JAPANESE = "ja"
    KOREAN = "ko"
    PORTUGUESE = "pt"
    CHINESE = "zh"


class Configuration(DocumentConfiguration):
    """How documents are summarised. Every field is optional."""

    desired_length: int = Field(
        default=100,
        ge=1,
        le=500,
        description="Maximum number of words in a summary. In Chinese and Japanese every "
        "character counts as one, and in long strings such as links every 20 characters.",
    )
    language: Language = Field(default=Language.ENGLISH, description="Language of the documents.")
    position_weight: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="How much more the first sentences of a document count, from 0, for not at "
        "all, to 1. News begins with what matters; for transcripts and the like a lower weight is "
        "better. Ignored by the backend `chat`.",
    )
    target_language: Language | None = Field(
        default=None,
        description="Language of the summaries; by default that of the documents; only the backend "
        "`chat` translates.",
    )


class Request(DocumentsRequest):
    """Documents, and how to summarise them."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How all documents of the request are summarised.",
    )


class Prediction(DocumentPrediction):
    """The summary of one document."""

    summary: str = Field(
        description="Sentences on one line; if the document has none, its lines and headlines, each "
        "on a line.",
        examples=["The council approved a new tram line."],
    )
    reason: Reason | None = Field(
        description="Why the summary is empty, otherwise `null`. `no_text`: the document has no "
        "word outside of markup and code. `no_sentence_fits`: each of its sentences is longer than "
        "`desired_length`.",
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction]
    backend: Backend = Field(
        description="`extractive`: sentences of the document. `chat`: written by a language model."
    )
