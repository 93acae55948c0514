"""What the entity-fishing service takes and answers."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesh.serve.documents import MAX_DOCUMENTS, MAX_TOTAL_CHARACTERS, Document, DocumentsRequest

MAX_ENTITIES = 1_000
"""Of one document."""

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


class Configuration(BaseModel):
    """How documents are read. Every field may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = Field(default=Language.ENGLISH, description="Language of the documents.")


class GivenEntity(BaseModel):
    """A name to link. Further fields are ignored, so what the ner service answers can be sent as it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    entity_text: str = Field(
        min_length=1, max_length=500, description="The name.", examples=["Paris"]
    )
    entity_type: str | None = Field(
        default=None, max_length=100, description="What it names; comes back as it was sent."
    )
    start: int | None = Field(
        default=None,
        ge=0,
        description="Its first character in the document. Without `start` and `end`, every occurrence is linked.",
    )
    end: int | None = Field(
        default=None, ge=1, description="The character after its last one in the document."
    )

    @model_validator(mode="after")
    def _span(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end belong together: give both or none")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self


class Input(Document):
    """A text, and the names in it if they are known."""

    entities: list[GivenEntity] | None = Field(
        default=None,
        max_length=MAX_ENTITIES,
        description="The names to link. If left out, the service finds names itself.",
    )

    @model_validator(mode="after")
    def _spans_within(self) -> Self:
        for entity in self.entities or ():
            if entity.end is not None and entity.end > len(self.document):
                raise ValueError(
                    f"an entity ends at {entity.end}, after the document's {len(self.document)} characters"
                )
        return self


class Request(DocumentsRequest):
    """Documents whose names are to be linked."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How documents are read, for all documents of the request.",
    )
    inputs: list[Input] = Field(  # type: ignore[assignment]  # narrower, and never assigned to
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description=f"1 to {MAX_DOCUMENTS} documents, of at most {MAX_TOTAL_CHARACTERS:,} characters together.",
    )


class Entity(BaseModel):
    """A name in a document, with or without a link."""

    entity_text: str = Field(
        description="The name, as sent or, if it was found, without markup.", examples=["Paris"]
    )
    entity_type: str | None = Field(
        description="As sent, as the ner service says, or that of the entity: person, organisation, place or other."
    )
    start: int | None = Field(
        description="Its first character in the document as it was sent, from 0; null if it is not in there."
    )
    end: int | None = Field(
        description="The character after its last one in the document as it was sent."
    )
    score: float = Field(
        description="How certain the link is, from 0 to 1; without a link, that of the best candidate.",
        examples=[0.9871],
    )
    wikidata_id: str | None = Field(
        description="Identifier of the Wikidata entity.", examples=["Q90"]
    )
    wiki_link: str | None = Field(
        description="Address of the Wikidata entity.",
        examples=["https://www.wikidata.org/wiki/Q90"],
    )
    label: str | None = Field(
        description="The entity's usual name, if the backend knows it.", examples=["Paris"]
    )
    description: str | None = Field(
        description="What the entity is, if the backend knows it.", examples=["capital of France"]
    )
    reason: Reason | None = Field(
        description="Why there is no link. `unknown`: no entity has this name. `ambiguous`: several entities are about "
        "as likely. `unlikely`: no entity with this name fits the text. `part_of_longer_name`: the words beside it "
        "seem to belong to the name. `not_in_document`: the document does not contain the name that was sent."
    )


class Prediction(BaseModel):
    """The names of one document."""

    entities: list[Entity] = Field(
        description="In the order of the document, or in that of the given entities."
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction]
    backend: Backend = Field(
        description="`embedded`: the server's own knowledge base. `service`: an entity-fishing server."
    )
