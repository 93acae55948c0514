"""What the sentiment service takes and answers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from mesh.serve import documents
from mesh.serve.documents import (
    MAX_DOCUMENTS,
    MAX_TOTAL_CHARACTERS,
    DocumentsRequest,
    LanguageConfiguration,
)
from sentiment.labels import Label

MAX_ENTITIES = 1_000


class Configuration(LanguageConfiguration):
    """How documents are read. Every field may be left out."""


class Mention(BaseModel):
    """An entity of a document; what the ner service answers fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity_text: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] = Field(
        description="The name. Without `start` and `end` it is looked for in the document, in any letter case.",
        examples=["Siemens"],
    )
    start: int | None = Field(
        default=None, ge=0, description="Its first character in the document as it is sent."
    )
    end: int | None = Field(
        default=None, ge=1, description="The character after its last one in the document."
    )
    entity_type: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="Answered as it is sent."
    )
    score: float | None = Field(default=None, description="Has no influence.")
    sentence_index: int | None = Field(default=None, description="Has no influence.")

    @model_validator(mode="after")
    def _span(self) -> "Mention":
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end belong together")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"start ({self.start}) must be before end ({self.end})")
        return self


class Document(documents.Document):
    """One text, and entities in it."""

    entities: list[Mention] = Field(
        default=[],
        max_length=MAX_ENTITIES,
        description="Entities whose sentiment is wanted too.",
    )

    @model_validator(mode="after")
    def _spans_are_within(self) -> "Document":
        for mention in self.entities:
            if mention.end is not None and mention.end > len(self.document):
                raise ValueError(
                    f"the entity {mention.entity_text!r} ends at {mention.end}, behind the document's "
                    f"{len(self.document)} characters"
                )
        return self


class Request(DocumentsRequest):
    """Documents whose sentiment is wanted."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How documents are read, for all documents of the request.",
    )
    # Each request is read only, so a list of a subclass is as good.
    inputs: list[Document] = Field(  # type: ignore[assignment]
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description=f"1 to {MAX_DOCUMENTS} documents, of at most {MAX_TOTAL_CHARACTERS:,} characters together; "
        "each must have some text.",
    )


class Sentiment(BaseModel):
    """A label with the probabilities of all three, rounded to 4 digits."""

    label: Label = Field(description="The likeliest.", examples=["positive"])
    negative_prob: float = Field(examples=[0.0164])
    neutral_prob: float = Field(examples=[0.0451])
    positive_prob: float = Field(examples=[0.9385])


class EntitySentiment(BaseModel):
    """What the sentences say that an entity is in."""

    entity_text: str = Field(examples=["Siemens"])
    entity_type: str | None = Field(examples=["ORG"])
    sentence_indexes: list[int] = Field(
        description="The numbers of its sentences in the document, from 0; none if it was not found.",
        examples=[[0]],
    )
    sentiment: Sentiment | None = Field(
        description="The mean of its sentences' probabilities; null if it was not found."
    )


class Prediction(Sentiment):
    """The sentiment of one document, and of its entities in the order in which they were sent."""

    entities: list[EntitySentiment]


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction] = Field(description="The predictions.")
