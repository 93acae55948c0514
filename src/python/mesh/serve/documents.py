"""The documents of a request, and their bounds."""

from collections.abc import Sequence

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

MAX_DOCUMENTS = 64
MAX_DOCUMENT_CHARACTERS = 200_000
MAX_TOTAL_CHARACTERS = 1_000_000


class Document(BaseModel):
    """One text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(
        max_length=MAX_DOCUMENT_CHARACTERS,
        description="The text; it may hold HTML.",
        examples=["Maria Santos left Siemens in Berlin after nine good years."],
    )


def check_total_length(documents: Sequence[Document]) -> None:
    """Bound all documents of a request together.

    Raises:
        ValueError: they are too long.
    """
    characters = sum(len(text.document) for text in documents)
    if characters > MAX_TOTAL_CHARACTERS:
        raise ValueError(
            f"the documents have {characters:,} characters together, more than {MAX_TOTAL_CHARACTERS:,}: "
            "send them in several requests"
        )
