from pydantic import BaseModel, Field


class Document(BaseModel):
    """One text."""

    document: str


class Request(BaseModel):
    """Texts."""

    inputs: list[Document] = Field(max_length=64)


class Prediction(BaseModel):
    """About one text."""

    letters: int
    share: float


class Response(BaseModel):
    """One prediction for each text."""

    outputs: list[Prediction]
