"""A task in FastAPI; each of Uvicorn's workers has one thread for the network."""

from typing import Any

import tasks
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
task = tasks.load()


class Document(BaseModel):
    """A text."""

    document: str


@app.get("/health")
def health() -> dict[str, bool]:
    """Readiness probe."""
    return {"ready": True}


@app.post("/predict")
def predict(request: Document) -> Any:
    """The result; FastAPI calls this in its thread pool."""
    return task([request.document])[0]
