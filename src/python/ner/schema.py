"""What the ner service takes and answers."""

from pydantic import BaseModel, Field

from mesh.serve.documents import DocumentsRequest, LanguageConfiguration


class Configuration(LanguageConfiguration):
    """How documents are read. Every field may be left out."""


class Request(DocumentsRequest):
    """Documents whose entities are wanted."""

    configuration: Configuration = Field(
        default=Configuration(),
        description="How documents are read, for all documents of the request.",
    )


class Entity(BaseModel):
    """A name in a document."""

    entity_type: str = Field(
        description="What it names: PER a person, ORG an organisation, LOC a place, MISC another name. "
        "A model that was registered without training has its own types.",
        examples=["PER"],
    )
    entity_text: str = Field(
        description="The name, without markup and odd white space.", examples=["Maria Santos"]
    )
    score: float = Field(
        description="Mean probability of its words' tags, from 0 to 1, rounded to 4 digits.",
        examples=[0.9871],
    )
    sentence_index: int = Field(
        description="The number of its sentence in the document, from 0.", examples=[0]
    )
    start: int = Field(
        description="Its first character in the document as it was sent, from 0.", examples=[0]
    )
    end: int = Field(
        description="The character after its last one in the document as it was sent; markup in the midst of the "
        "name counts.",
        examples=[12],
    )


class Prediction(BaseModel):
    """The entities of one document."""

    entities: list[Entity] = Field(
        description="In the order of the document; none for an empty one."
    )


class Response(BaseModel):
    """One prediction for each input, in their order."""

    outputs: list[Prediction] = Field(description="The predictions.")
