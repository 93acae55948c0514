"""Requests about several texts, as the projects' services take them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

EXAMPLE_TEXT = (
    "Marie Curie, born in Warsaw, won the Nobel Prize in Physics for her research on radioactivity."
)
"""What every project has an answer to: a sentence with names and topics."""

MAX_DOCUMENTS = 64
MAX_DOCUMENT_CHARACTERS = 200_000
MAX_TOTAL_CHARACTERS = 1_000_000


class Document(BaseModel):
    """One text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(
        max_length=MAX_DOCUMENT_CHARACTERS,
        description="The text, which may be empty.",
        examples=[EXAMPLE_TEXT],
    )


class LanguageConfiguration(BaseModel):
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


class DocumentsRequest(BaseModel):
    """Base of a project's request, which adds its configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: list[Document] = Field(
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description=f"1 to {MAX_DOCUMENTS} documents, of at most {MAX_TOTAL_CHARACTERS:,} characters together.",
    )

    @property
    def documents(self) -> list[str]:
        """The texts."""
        return [item.document for item in self.inputs]

    @model_validator(mode="after")
    def _total_length(self) -> Self:
        characters = sum(map(len, self.documents))
        if characters > MAX_TOTAL_CHARACTERS:
            raise ValueError(
                f"the documents have {characters:,} characters together, more than {MAX_TOTAL_CHARACTERS:,}: "
                "send them in several requests"
            )
        return self
