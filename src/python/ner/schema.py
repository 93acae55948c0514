"""Requests and responses of the ner service."""

from typing import Annotated

from pydantic import BaseModel, Field

from mesh.serve.documents import (
    DocumentPrediction,
    DocumentsRequest,
    LanguageConfiguration,
    RefusedDocument,
)
from mesh.serve.facts import LABEL


class Configuration(LanguageConfiguration):
    """How documents are processed. Every field is optional."""

    min_score: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Names with a lower `score` are left out. A higher value gives fewer wrong names "
        "and misses more; 0 gives all that the network finds.",
    )


class Request(DocumentsRequest):
    """Documents with entities to find."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How all documents of the request are processed.",
    )


class Entity(BaseModel):
    """A name in a document."""

    entity_type: Annotated[str, LABEL] = Field(
        description="PER for a person, ORG for an organisation, LOC for a place, MISC for another "
        "name. A model that was registered without training has its own types.",
        examples=["PER"],
    )
    entity_text: str = Field(
        description="The name, without markup and with plain spaces.", examples=["Maria Santos"]
    )
    score: float = Field(
        description="Mean probability of the tags of its words, from 0 to 1, rounded to 4 digits.",
        examples=[0.9871],
    )
    sentence_index: int = Field(
        description="Index of its sentence in the document, from 0.", examples=[0]
    )
    start: int = Field(
        description="Offset of its first character in the document as it was sent, from 0.",
        examples=[0],
    )
    end: int = Field(
        description="Offset after its last character in the document as it was sent, with any "
        "markup inside the name.",
        examples=[12],
    )


class Prediction(DocumentPrediction):
    """The entities of one document."""

    entities: list[Entity] = Field(
        description="In the order of the document; empty for a document without text. Sentences whose "
        "words the model mostly doesn't know have none."
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction | RefusedDocument] = Field(
        description="The predictions; with `on_error` `item`, an error for each refused document."
    )
