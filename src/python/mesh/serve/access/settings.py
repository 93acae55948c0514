"""Settings of who may ask a server. All are off by default."""

import ipaddress
import urllib.parse
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings, Url
from mesh.serve.access.lists import parse_networks, parse_origins, split_list
from mesh.serve.access.scopes import parse_scopes

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""Those with a public key. With a shared one, whoever checks tokens could make them."""


class AccessSettings(MeshSettings):
    """Who may ask, over what, and what is served to whom."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    api_keys_file: Path | None = Field(
        None, description="Keys that callers need, as `mesh keys` writes them."
    )
    jwt_issuer: Url = Field(
        "", description="URL of the OpenID Connect issuer whose tokens callers may have instead."
    )
    jwt_jwks_file: Path | None = Field(
        None,
        description="A JSON Web Key Set with the public keys of these tokens; by default the issuer's.",
    )
    jwt_audience: str = Field("", description="The audience that tokens must be for.")
    jwt_algorithm: Algorithm = Field("RS256", description="The only algorithm of tokens.")
    jwt_default_scopes: str = Field(
        "",
        description="What tokens without the claim `scope` may do: predict, inspect, or both, separated by "
        "commas. By default nothing.",
    )
    requests_per_minute: int | None = Field(
        None,
        ge=1,
        description="Of one caller; more get status 429. Callers are told apart by key, token, "
        "certificate, or else address.",
    )
    inspect_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of /metrics, /docs, /openapi.json and the bio, which are open there and "
        "missing elsewhere. By default they are on the server's port, for callers with the scope "
        "inspect.",
    )
    tls_cert_file: Path | None = Field(
        None, description="Certificates of the server for TLS, in PEM, its own first."
    )
    tls_key_file: Path | None = Field(None, description="The key of the first one, in PEM.")
    tls_key_password: SecretStr | None = Field(None, description="The password of the key.")
    tls_client_ca_file: Path | None = Field(
        None,
        description="Certificates of the authorities that clients need a certificate of, in PEM.",
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may call the server from browsers, such as "
        "https://app.example.com, separated by commas; * for any.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses and networks of proxies, separated by commas, whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed.",
    )

    @property
    def has_tokens(self) -> bool:
        """Whether callers may have tokens."""
        return bool(self.jwt_issuer or self.jwt_jwks_file)

    @property
    def needs_credentials(self) -> bool:
        """Whether callers must send a key or token."""
        return self.api_keys_file is not None or self.has_tokens

    @property
    def asks_callers(self) -> bool:
        """Whether callers must say who they are, by what they send or by a certificate."""
        return self.needs_credentials or self.tls_client_ca_file is not None

    @property
    def guards(self) -> bool:
        """Whether callers are told apart, or paths by port."""
        by_rate = self.requests_per_minute is not None
        return self.asks_callers or by_rate or self.inspect_port is not None

    @property
    def needs_access(self) -> bool:
        """Whether anything of this is on beside TLS."""
        return self.guards or bool(self.cors_origins or self.trusted_proxies)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        parse_origins(text)
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @field_validator("jwt_default_scopes")
    @classmethod
    def _are_scopes(cls, text: str) -> str:
        parse_scopes(split_list(text))
        return text

    @field_validator("jwt_issuer")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        if url and not is_safe_url(url):
            raise ValueError("a URL that starts with https:// is needed, without query")
        return url

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Parts of a protection, of which others are missing, would protect nothing."""
        if self.has_tokens and not self.jwt_audience:
            raise ValueError("SERVE_JWT_AUDIENCE is required where tokens are accepted")
        if self.jwt_audience and not self.has_tokens:
            raise ValueError("SERVE_JWT_AUDIENCE needs SERVE_JWT_ISSUER or SERVE_JWT_JWKS_FILE")
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS needs both SERVE_TLS_CERT_FILE and SERVE_TLS_KEY_FILE")
        if self.tls_client_ca_file and not self.tls_cert_file:
            raise ValueError("SERVE_TLS_CLIENT_CA_FILE needs SERVE_TLS_CERT_FILE")
        return self


def is_safe_url(url: str) -> bool:
    """Whether what is read from a URL comes from its host: by https, or on this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.query or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
