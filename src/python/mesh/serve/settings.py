"""Settings of a server: how it listens, computes and refuses."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings
from mesh.serve.hosts import parse_patterns

BACKLOG = 1024
"""Connections that may wait to be accepted."""


class ServeSettings(MeshSettings):
    """Settings of a server. A project sets its own default port in a subclass."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    server: Literal["uvicorn", "hypercorn"] = Field(
        "uvicorn", description="The HTTP server: hypercorn supports HTTP/2, uvicorn is faster."
    )
    http2: bool = Field(
        False, description="Whether hypercorn speaks HTTP/2 to clients that start with it."
    )
    allowed_hosts: str = Field(
        "",
        description="Names of hosts that requests may be sent to, without ports, separated by "
        "commas: *.example.com for all of a domain, * for any. By default those of this machine "
        "where the server listens on its loopback address, else any.",
    )
    threads: int = Field(
        2, ge=1, description="Threads that compute. Each computes one batch at a time."
    )
    queue_size: int = Field(
        64, ge=1, description="Requests that may wait for a thread; more get status 503."
    )
    max_batch: int = Field(8, ge=1, description="Waiting requests that are computed together.")
    batch_wait_ms: float = Field(
        0,
        ge=0,
        description="How long a thread waits for a batch to fill; 0 takes the waiting requests at once.",
    )
    deadline_seconds: float = Field(
        30, gt=0, description="Waiting and computing may take this long; then status 504."
    )
    max_body_bytes: int = Field(
        8 * 1024 * 1024, ge=1, description="Larger request bodies get status 413."
    )
    receive_seconds: float = Field(
        10,
        gt=0,
        description="A request's body must have arrived within this time; else status 408.",
    )
    keep_alive_seconds: float = Field(
        15, gt=0, description="Connections without a complete request header are closed after this."
    )
    drain_delay_seconds: float = Field(
        0.2,
        ge=0,
        description="On SIGTERM, how long connections are still accepted while readiness is already 503.",
    )
    drain_seconds: float = Field(
        25, gt=0, description="After that, how long accepted requests may take."
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, text: str) -> str:
        parse_patterns(text)
        return text
