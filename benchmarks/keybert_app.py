"""KeyBERT behind FastAPI, as its users write it. Run by keywords_footprint; WEIGHTS names the model's folder."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from keybert import KeyBERT
from sentence_transformers import SentenceTransformer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model before the first request."""
    app.state.model = KeyBERT(model=SentenceTransformer(os.environ["WEIGHTS"], device="cpu"))
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
def ready() -> None:
    """Answered once the model is loaded."""


@app.post("/keywords")
def keywords(document: dict[str, str]) -> list[Any]:
    """The keywords of one document."""
    found: list[Any] = app.state.model.extract_keywords(document["text"])
    return found
