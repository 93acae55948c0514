"""The load on a server, and its criteria."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.names import TAG_OF_IMAGE
from mesh.core.settings import MeshSettings
from mesh.loadtest.criteria import Criterion


class ResultSettings(MeshSettings):
    """The version and image that test results belong to."""

    model_config = SettingsConfigDict(env_prefix="LOAD_")

    image_tag: str = Field(
        "local",
        description="Tag of the image that is served; names the folder of the results.",
    )
    model_directory: Path | None = Field(
        None,
        description="Directory of the compiled version; the last download by default.",
    )

    @field_validator("image_tag")
    @classmethod
    def _is_tag(cls, tag: str) -> str:
        return TAG_OF_IMAGE.check(tag)


class LoadSettings(ResultSettings):
    """Settings of a load test. A project sets its own URL and criteria in a subclass."""

    URL_PATTERN: ClassVar[str] = r"^https?://[^/?#@]+$"

    url: str = Field(
        "http://127.0.0.1:8000", pattern=URL_PATTERN, description="The server, without a path."
    )
    users: int = Field(2, ge=1, le=10_000, description="Concurrent users.")
    spawn_rate: float = Field(2, gt=0, description="Users that start each second.")
    run_seconds: float = Field(45, gt=0, description="Duration of the load.")
    timeout_seconds: float = Field(
        30, gt=0, description="Silence of the server after which a request fails."
    )
    think_seconds: float = Field(
        0, ge=0, description="A user's pause between a response and the next request."
    )
    ca_file: FilePath | None = Field(
        None,
        description="File with the certificates of the authorities to trust for https, in PEM; the "
        "system's by default.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="The key or token that the server asks for, with both scopes.",
    )
    image_name: str = Field(
        "",
        description="Name of the image that is served, with its registry; empty without an image.",
    )
    image_digest: str = Field(
        "",
        description="Digest of the image that is served, such as `sha256:...`; empty without an image.",
    )
    criteria: tuple[Criterion, ...] = Field(
        (),
        description="A JSON list of bounds. An endpoint without a bound on failures must have none.",
    )
