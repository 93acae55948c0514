"""Settings of `train:train`."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.data_names import LATEST
from mesh.core.settings import MeshSettings, Url


class TrainSettings(MeshSettings):
    """Register a base model and its predictions for samples as the next trained version."""

    model_config = SettingsConfigDict(env_prefix="TRAIN_")

    base_model: Url = Field(
        description="hf://org/name@revision, package://module/folder, or a folder."
    )
    samples: Path | None = Field(
        None, description="JSON list of documents that replace the project's own samples."
    )
    inference_params: dict[str, Any] = Field(
        {}, description="JSON object that is merged over the project's own parameters."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="auto uses GPUs if there are any; cuda ends the program if there are none.",
    )
    force: bool = Field(False, description="Register a new version even if an equal one exists.")
    record: bool = Field(True, description="Record the training as a run of the registry.")


class FineTuneSettings(TrainSettings):
    """Fine-tune a base model on features, evaluate it, register it as the next trained version."""

    data: str = Field(LATEST, description="Version of features, or a prefix of its name.")
    epochs: int = Field(
        4,
        ge=0,
        description="Maximum number of passes over the training rows; 0 registers a base model "
        "that already does the task.",
    )
    learning_rate: float = Field(
        1e-4, gt=0, description="Learning rate of the base model's layers."
    )
    head_learning_rate: float = Field(
        5e-4, gt=0, description="Learning rate of the new last layer."
    )
    batch_size: int = Field(
        32, ge=1, description="Rows of a step on each device, or in each process."
    )
    warmup: float = Field(
        0.1, ge=0, lt=1, description="Fraction of the steps in which the rates rise."
    )
    weight_decay: float = Field(
        0.01, ge=0, description="Weight decay of AdamW, except for biases and norms."
    )
    freeze_embeddings: bool = Field(
        True,
        description="Keep the word embeddings fixed: faster, and unseen words keep theirs.",
    )
    max_length: int = Field(
        256, ge=128, description="Tokens of one pass; the server splits longer texts into windows."
    )
    patience: int = Field(
        2, ge=1, description="Epochs without a better validation score after which training ends."
    )
    seed: int = Field(1, description="Another seed gives another model.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto",
        description="What matrix products are computed in; auto takes bfloat16 where the device "
        "multiplies it.",
    )
    compare_with: str = Field(
        "prod", description="Alias of the trained version to compare with, if it exists."
    )
