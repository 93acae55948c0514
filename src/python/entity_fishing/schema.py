"""Requests and responses of the entity-fishing service."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesh.serve.documents import (
    ENTITIES_OF_REQUEST,
    MAX_ENTITIES,
    Document,
    DocumentConfiguration,
    DocumentPrediction,
    DocumentsRequest,
    Inputs,
    Span,
    require_within,
)

Backend = Literal["embedded", "service"]


class Language(StrEnum):
    """The languages that texts may be in, by ISO 639-1 code."""

    ARABIC = "ar"
    BENGALI = "bn"
    CHINESE = "zh"
    ENGLISH = "en"
    FRENCH = "fr"
    GERMAN = "de"
    HINDI = "hi"
    ITALIAN = "it"
    JAPANESE = "ja"
    PERSIAN = "fa"
    PORTUGUESE = "pt"
    RUSSIAN = "ru"
    SPANISH = "es"
    SWEDISH = "sv"
    UKRAINIAN = "uk"


class Reason(StrEnum):
    """Why a name has no link."""

    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    UNLIKELY = "unlikely"
    PART_OF_LONGER_NAME = "part_of_longer_name"
    NOT_IN_DOCUMENT = "not_in_document"


class Configuration(DocumentConfiguration):
    """How documents are processed. Every field is optional."""

    language: Language = Field(default=Language.ENGLISH, description="Language of the documents.")


class GivenEntity(Span):
    """A name to link. Other fields are ignored, so an entity of the ner service fits unchanged."""

    model_config = ConfigDict(extra="ignore")

    entity_text: str = Field(
        min_length=1, max_length=500, description="The name.", examples=["Paris"]
    )
    entity_type: str | None = Field(
        default=None, max_length=100, description="The type of entity; returned as it was sent."
    )


class Input(Document):
    """A text, and its names if they are known."""

    entities: list[GivenEntity] | None = Field(
        default=None,
        max_length=MAX_ENTITIES,
        json_schema_extra=ENTITIES_OF_REQUEST,
        description="The names to link. Without them, the service finds names itself.",
    )

    @model_validator(mode="after")
    def _spans_within(self) -> Self:
        require_within(self.entities or (), self.document)
        return self


class Request(DocumentsRequest):
    """Documents with names to link."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How all documents of the request are processed.",
    )
    # A request is never modified, so a list of a subclass is fine.
    inputs: Inputs[Input]  # type: ignore[assignment]

    @property
    def names(self) -> list[str]:
        return [
            entity.entity_text + (entity.entity_type or "")
            for item in self.inputs
            for entity in item.entities or ()
        ]


class Entity(BaseModel):
    """A name in a document, with or without a link."""

    entity_text: str = Field(
        description="The name as it was sent; without markup if the service found " "it.",
        examples=["Paris"],
    )
    entity_type: str | None = Field(
        description="As sent, as the ner service returned it, or that of the Wikidata entity: "
        "person, organisation, place or other."
    )
    start: int | None = Field(
        description="Offset of its first character in the document as it was sent, from 0; null if "
        "the document doesn't contain it."
    )
    end: int | None = Field(
        description="Offset after its last character in the document as it was sent."
    )
    score: float = Field(
        description="How certain the link is, from 0 to 1; without a link, that of the best "
        "candidate.",
        examples=[0.9871],
    )
    wikidata_id: str | None = Field(
        description="Identifier of the Wikidata entity.", examples=["Q90"]
    )
    wiki_link: str | None = Field(
        description="URL of the Wikidata entity.",
        examples=["https://www.wikidata.org/wiki/Q90"],
    )
    label: str | None = Field(
        description="The usual name of the entity, if the backend knows it.", examples=["Paris"]
    )
    description: str | None = Field(
        description="A description of the entity, if the backend knows one.",
        examples=["capital of France"],
    )
    reason: Reason | None = Field(
        description="Why there is no link. `unknown`: no entity has this name. `ambiguous`: "
        "several entities are about as likely. `unlikely`: no entity with this name fits the text. "
        "`part_of_longer_name`: the words beside it seem to belong to the name. `not_in_document`: "
        "the document doesn't contain the name that was sent."
    )


class Prediction(DocumentPrediction):
    """The names of one document."""

    entities: list[Entity] = Field(
        description="In the order of the document, or of the given entities."
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction]
    backend: Backend = Field(
        description="`embedded`: the server's own knowledge base. `service`: an entity-fishing "
        "server."
    )
