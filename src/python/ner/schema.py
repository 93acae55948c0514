"""What the ner service takes and answers."""

from typing import Annotated

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import StringConstraints
from pydantic import field_validator

from mesh.serve.documents import MAX_DOCUMENTS
from mesh.serve.documents import MAX_TOTAL_CHARACTERS
from mesh.serve.documents import Document
from mesh.serve.documents import check_total_length


class Configuration(BaseModel):
    """How documents are read. Every field may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = Field(
        default="en",
        description="ISO 639 code of the documents' language. One that the model does not know is refused.",
        examples=["en"],
    )
    check_language: bool = Field(
        default=True,
        description="Refuse a request with a document that is almost certainly in a language that the model does not "
        "know, whatever `language` says.",
    )


class Request(BaseModel):
    """Documents whose entities are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    configuration: Configuration = Field(
        default=Configuration(),
        description="How documents are read, for all documents of the request.",
    )
    inputs: list[Document] = Field(
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description=f"1 to {MAX_DOCUMENTS} documents, of at most {MAX_TOTAL_CHARACTERS:,} characters together.",
    )

    @field_validator("inputs")
    @classmethod
    def _total_length(cls, inputs: list[Document]) -> list[Document]:
        check_total_length(inputs)
        return inputs


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
