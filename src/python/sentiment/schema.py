"""Requests and responses of the sentiment service."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from mesh.serve.documents import (
    ENTITIES_OF_REQUEST,
    MAX_ENTITIES,
    Document,
    DocumentPrediction,
    DocumentsRequest,
    Inputs,
    LanguageConfiguration,
    RefusedDocument,
    Span,
    require_within,
)
from sentiment.labels import Label


class Configuration(LanguageConfiguration):
    """How documents are processed. Every field is optional."""


class Mention(Span):
    """An entity of a document, as the ner service returns it."""

    entity_text: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] = Field(
        description="The name. Without `start` and `end`, it is searched for as whole words; letter case, "
        "spacing and the form of apostrophes make no difference. With them, a document that has another "
        "text there is refused.",
        examples=["Siemens"],
    )
    entity_type: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="Returned as it was sent."
    )
    score: float | None = Field(default=None, description="Ignored.")
    sentence_index: int | None = Field(default=None, description="Ignored.")


class Input(Document):
    """One text and the entities in it. A text without words that the model knows is refused."""

    entities: list[Mention] = Field(
        default=[],
        max_length=MAX_ENTITIES,
        json_schema_extra=ENTITIES_OF_REQUEST,
        description="Entities to judge as well.",
    )

    @model_validator(mode="after")
    def _spans_are_within(self) -> Self:
        require_within(self.entities, self.document)
        return self


class Request(DocumentsRequest):
    """Documents to judge."""

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
            for entity in item.entities
        ]


class Sentiment(BaseModel):
    """A label with the probabilities of all three, rounded to 4 digits."""

    label: Label = Field(description="The most likely label.", examples=["positive"])
    negative_prob: float = Field(examples=[0.0164])
    neutral_prob: float = Field(examples=[0.0451])
    positive_prob: float = Field(examples=[0.9385])


class EntitySentiment(BaseModel):
    """The sentiment of the sentences, or the clauses, that an entity is in."""

    entity_text: str = Field(examples=["Siemens"])
    entity_type: str | None = Field(examples=["ORG"])
    sentence_indexes: list[int] = Field(
        description="The numbers of its sentences in the document, from 0; empty if it wasn't "
        "found.",
        examples=[[0]],
    )
    sentiment: Sentiment | None = Field(
        description="From the mean probabilities of its sentences, or of its clauses in those that name "
        "other entities too; null if it wasn't found."
    )


class Prediction(DocumentPrediction, Sentiment):
    """The sentiment of one document, and of its entities in the order in which they were sent."""

    entities: list[EntitySentiment]


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction | RefusedDocument] = Field(
        description="The predictions; with `on_error` `item`, an error for each refused document."
    )
