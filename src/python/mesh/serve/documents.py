"""Requests about several texts, as the projects' services take them."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from mesh.core.markup import Markup, MarkupChoice
from mesh.nlp.normal_form import normal_form
from mesh.serve.request_limits import TOTAL_CHARACTERS, TOTAL_ITEMS

EXAMPLE_TEXT = (
    "Marie Curie, born in Warsaw, won the Nobel Prize in Physics for her research on radioactivity."
)
"""A sentence with names and topics, so that every project has a prediction for it."""

MAX_DOCUMENTS = 64
MAX_DOCUMENT_CHARACTERS = 200_000
MAX_TOTAL_CHARACTERS = 1_000_000
MAX_ENTITIES = 1_000
"""Of one document."""
MAX_TOTAL_ENTITIES = 20_000
MAX_LANGUAGE = 100
"""Characters of a language's name or code."""

MAX_COMPATIBLE_CHARACTERS = 4 * MAX_DOCUMENT_CHARACTERS
"""Of one document in Unicode's compatible form (NFKC), in which words are compared: there, a single
character may become 18."""


class RequestModel(BaseModel):
    """Base of a request and its parts: unknown fields are refused, and nothing can be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(RequestModel):
    """One text."""

    document: str = Field(
        max_length=MAX_DOCUMENT_CHARACTERS,
        description="The text, which may be empty.",
        examples=[EXAMPLE_TEXT],
        json_schema_extra={TOTAL_CHARACTERS: MAX_TOTAL_CHARACTERS},
    )


AnyDocument = TypeVar("AnyDocument", bound=Document)

Inputs = Annotated[
    list[AnyDocument],
    Field(
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description=f"1 to {MAX_DOCUMENTS} documents, of at most {MAX_TOTAL_CHARACTERS:,} characters "
        "together.",
    ),
]
"""The documents of a request; a project whose documents have more fields parametrises it."""


class DocumentConfiguration(RequestModel):
    """How documents are read. Every field is optional."""

    markup: MarkupChoice = Field(
        default="auto",
        description="Markup of the documents, which is taken out before they are read. `auto` "
        "decides for each document by what it contains.",
    )


class LanguageConfiguration(DocumentConfiguration):
    """How documents are read whose language decides. Every field is optional."""

    language: Annotated[str, StringConstraints(max_length=3, pattern=r"^[a-z]{2,3}$")] = Field(
        default="en",
        description="ISO 639 code of the documents' language. A language that the model does not know "
        "is refused.",
        examples=["en"],
    )
    check_language: bool = Field(
        default=True,
        description="Refuse documents of four words or more that are almost certainly in a language that "
        "the model does not know, whatever `language` says. Names and quotations don't decide.",
    )
    on_error: Literal["request", "item"] = Field(
        default="request",
        description="What a document that is refused takes with it: `request` refuses the whole "
        "request, `item` gives an `error` in its place and predictions for the others.",
    )


class DocumentsRequest(RequestModel):
    """Base of a project's request, which adds its configuration."""

    inputs: Inputs[Document]

    @property
    def documents(self) -> list[str]:
        """The texts."""
        return [item.document for item in self.inputs]

    @property
    def names(self) -> list[str]:
        """The name of each entity with its type, where documents come with entities."""
        return []

    @model_validator(mode="after")
    def _total_length(self) -> Self:
        names = self.names
        if len(names) > MAX_TOTAL_ENTITIES:
            raise ValueError(
                f"the documents have {len(names):,} entities together, more than "
                f"{MAX_TOTAL_ENTITIES:,}: send them in several requests"
            )
        for what, texts in (("documents", self.documents), ("names", names)):
            characters = sum(map(len, texts))
            if characters > MAX_TOTAL_CHARACTERS:
                raise ValueError(
                    f"the {what} have {characters:,} characters together, more than "
                    f"{MAX_TOTAL_CHARACTERS:,}: send them in several requests"
                )
        return self

    @model_validator(mode="after")
    def _compatible_length(self) -> Self:
        for number, text in enumerate(self.documents):
            characters = len(text) if text.isascii() else len(normal_form("NFKC", text))
            if characters > MAX_COMPATIBLE_CHARACTERS:
                raise ValueError(
                    f"document {number} has {characters:,} characters in Unicode's compatible form, "
                    f"more than {MAX_COMPATIBLE_CHARACTERS:,}: send less of it at once"
                )
        return self


class DocumentPrediction(BaseModel):
    """Base of a project's prediction for one document."""

    markup: Markup = Field(description="The markup that was taken out of the document.")


class RefusedDocument(BaseModel):
    """Stands for the prediction of a document that was refused alone."""

    error: str = Field(description="Why the document was refused.")


class Span(RequestModel):
    """Base of a name in a document, with its place where that is known."""

    model_config = ConfigDict(json_schema_extra={TOTAL_CHARACTERS: MAX_TOTAL_CHARACTERS})

    start: int | None = Field(
        default=None,
        ge=0,
        description="Its first character in the document as it is sent, from 0. Without `start` and "
        "`end`, all occurrences of the name count.",
    )
    end: int | None = Field(
        default=None, ge=1, description="The character after its last one in the document."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end belong together: give both or none")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"start ({self.start}) must be before end ({self.end})")
        return self


ENTITIES_OF_REQUEST: dict[str, Any] = {TOTAL_ITEMS: MAX_TOTAL_ENTITIES}
"""Of the schema of a list of spans."""


def require_within(spans: Iterable[Span], document: str) -> None:
    """Check that spans end inside of their document.

    Raises:
        ValueError: one doesn't.
    """
    for span in spans:
        if span.end is not None and span.end > len(document):
            raise ValueError(
                f"an entity ends at {span.end}, after the document's {len(document)} characters"
            )
