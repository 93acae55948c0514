"""Where models are registered."""

import re

from pydantic import Field
from pydantic import field_serializer
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings

_PASSWORD = re.compile(r"(?<=://)([^/:@]*):.*@")
_QUERY = re.compile(r"\?.*")


class RegistrySettings(MeshSettings):
    """Which registry is used; the password in its address, if any, is not shown."""

    model_config = SettingsConfigDict(env_prefix="MESH_REGISTRY_")

    backend: str = Field("mlflow", description="Kind of registry.")
    uri: str = Field(
        "sqlite:///.mesh/registry.db",
        description="Address of the registry: sqlite:///FILE, another database, or an MLflow server's URL.",
        repr=False,
    )
    artifacts: str = Field(
        ".mesh/artifacts",
        description="Folder, or address of object storage, for models' files; a server decides this itself.",
    )

    @field_serializer("uri", when_used="json")
    def masked_uri(self, uri: str) -> str:
        """The address without its password and options, fit for logs and messages."""
        return _QUERY.sub("?***", _PASSWORD.sub(r"\1:***@", uri))
