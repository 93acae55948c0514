"""Settings of `train:train` that hold for every project."""

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings


class TrainSettings(MeshSettings):
    """Register a base model, with its predictions of sample documents, as the next trained version."""

    model_config = SettingsConfigDict(env_prefix="TRAIN_")

    base_model: str = Field(
        description="hf://org/name@revision, package://module/folder, or a folder."
    )
    samples: Path | None = Field(
        None, description="JSON list of documents, instead of the project's own samples."
    )
    inference_params: dict[str, Any] = Field(
        {}, description="JSON object, merged over the project's own parameters."
    )
    force: bool = Field(False, description="Register a new version even if an equal one exists.")
