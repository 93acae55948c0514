"""The settings of versions of data."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings, Url


class DataSettings(MeshSettings):
    """The storage of versions of data."""

    model_config = SettingsConfigDict(env_prefix="DATA_")

    root: Url = Field(
        ".mesh/data",
        description="Folder for versions, or URL such as s3://bucket/data.",
    )
