"""Settings of the log of predictions, which is off by default."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings


class PredictionLogSettings(MeshSettings):
    """Whether, where and how predictions are logged."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    prediction_log_dir: Path | None = Field(
        None,
        description="Folder for a log of the facts of predictions, which `mesh drift` reads: "
        "labels, scores, numbers and lengths. By default there is none.",
    )
    prediction_log_share: float = Field(
        0.1, gt=0, le=1, description="The share of the requests that is logged, chosen at random."
    )
    prediction_log_text: bool = Field(
        False, description="Whether the log has the documents' texts, too."
    )
    prediction_log_seconds: float = Field(
        60, gt=0, description="A file of the log has the predictions of so long a time at most."
    )
    prediction_log_file_mb: float = Field(
        4, gt=0, le=1024, description="A file of the log becomes about so large at most."
    )
    prediction_log_max_mb: float = Field(
        256, gt=0, description="All files in the folder together; the oldest ones are removed."
    )

    @model_validator(mode="after")
    def _holds_a_file(self) -> Self:
        if self.prediction_log_max_mb < 2 * self.prediction_log_file_mb:
            raise ValueError(
                f"SERVE_PREDICTION_LOG_MAX_MB={self.prediction_log_max_mb:g} can't hold two files "
                f"of SERVE_PREDICTION_LOG_FILE_MB={self.prediction_log_file_mb:g}"
            )
        return self
