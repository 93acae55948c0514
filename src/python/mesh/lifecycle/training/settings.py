"""Settings of `train:train` for projects whose base model is fine-tuned."""

from typing import Literal

from pydantic import Field

from mesh.data.store import LATEST
from mesh.lifecycle.train_settings import TrainSettings


class FineTuneSettings(TrainSettings):
    """Fine-tune a base model on a version of features, evaluate it, and register it as the next trained version."""

    data: str = Field(LATEST, description="Version of features, or the beginning of its name.")
    epochs: int = Field(
        4,
        ge=0,
        description="Passes over the training rows, at most; 0 registers a base model that does the task already.",
    )
    learning_rate: float = Field(1e-4, gt=0, description="Of the base model's layers.")
    head_learning_rate: float = Field(5e-4, gt=0, description="Of the new last layer.")
    batch_size: int = Field(32, ge=1, description="Rows of one step on one device.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps with rising rates.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW's, but for biases and norms.")
    freeze_embeddings: bool = Field(
        True,
        description="Leave the word embeddings as they are: faster, and new words keep theirs.",
    )
    max_length: int = Field(
        256, ge=128, description="Tokens of one pass; the server reads longer texts in windows."
    )
    patience: int = Field(
        2, ge=1, description="Epochs without a better validation score after which training ends."
    )
    seed: int = Field(1, description="Another seed gives another model.")
    device: Literal["auto", "cpu"] = Field("auto", description="auto takes GPUs where there are.")
    compare_with: str = Field(
        "prod", description="Alias of the trained version to compare with, if there is one."
    )
