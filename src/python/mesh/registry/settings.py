"""The settings of the registry."""

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings, Url
from mesh.core.urls import mask_url, passwords
from mesh.core.user import user_and_host
from mesh.registry.signing import check_key

SQLITE = "sqlite:///"
POSTGRESQL = ("postgresql://", "postgresql+")
_PORTS = {"http": 80, "https": 443, "postgresql": 5432}
_SECRET_OPTION = re.compile(r"(?i)[?&][^=&]*(pass|secret|token|key)[^=&]*=(?P<value>[^&]*)")


class RegistrySettings(MeshSettings):
    """The registry to use; passwords in its URIs are not shown."""

    model_config = SettingsConfigDict(env_prefix="MESH_REGISTRY_")

    backend: str = Field("mlflow", description="Kind of registry.")
    uri: Url = Field(
        "sqlite:///.mesh/registry.db",
        description="The registry: sqlite:///FILE, an MLflow server's URL, or postgresql://...",
    )
    artifacts: Url = Field(
        "",
        description="Folder, or URI of object storage, for files; by default the folder artifacts "
        "beside an SQLite file. A server decides this itself.",
    )

    client_mode: Literal["sync", "async", "read-only"] = Field(
        "sync",
        description="read-only: nothing can be changed; async: Neptune's client batches fields.",
    )
    token: SecretStr = Field(
        SecretStr(""), description="Token for Neptune; other backends have none.", repr=False
    )
    user: str = Field(
        "",
        description="User in the history of aliases; by default, the system's user and host.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""), description="Private key that signs published versions.", repr=False
    )
    trusted_keys: str = Field(
        "",
        description="Public keys, separated by commas; versions signed by none are refused.",
    )

    @property
    def who(self) -> str:
        """The user's name for the history."""
        return self.user or user_and_host()

    @property
    def storage(self) -> str:
        """Where new files go: a folder or URI; empty if the settings don't say."""
        if self.artifacts or not self.uri.startswith(SQLITE):
            return self.artifacts
        return str(Path(self.uri.removeprefix(SQLITE)).absolute().parent / "artifacts")

    @property
    def identity(self) -> str:
        """The registry's address in one spelling, without user and options."""
        if self.uri.startswith(SQLITE):
            return SQLITE + os.path.realpath(self.uri.removeprefix(SQLITE))
        parts = urlsplit(self.uri)
        scheme = parts.scheme.partition("+")[0]
        port = parts.port or _PORTS.get(scheme)
        return f"{scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"

    @property
    def trusted(self) -> tuple[str, ...]:
        """The trusted public keys; without any, signatures are not checked."""
        return _split_keys(self.trusted_keys)

    @field_validator("signing_key", "trusted_keys")
    @classmethod
    def _check_keys(cls, value: SecretStr | str) -> SecretStr | str:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        for key in _split_keys(text):
            check_key(key)
        return value

    def hide_passwords(self, text: str) -> str:
        """Another library's message, with masked URIs and without their passwords."""
        for address in (self.uri, self.artifacts):
            text = text.replace(address, mask_url(address))
            for secret in _secrets(address):
                text = text.replace(secret, "***")
        return text


def _split_keys(text: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in text.split(",") if key.strip())


def _secrets(address: str) -> set[str]:
    """The passwords of a URI, percent-encoded and decoded."""
    found = passwords(address)
    found += [match["value"] for match in _SECRET_OPTION.finditer(address)]
    return {form for secret in found for form in (secret, unquote(secret)) if form}
