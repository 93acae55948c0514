"""Settings of a server: how it listens, computes and refuses."""

from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.devices import AUTO, NAMES, ChosenDevice, Placement
from mesh.core.precisions import ChosenPrecision
from mesh.serve.access.settings import AccessSettings
from mesh.serve.hosts import parse_patterns
from mesh.serve.prediction_log.settings import PredictionLogSettings

BACKLOG = 1024
"""Connections that may wait to be accepted."""


class ServeSettings(AccessSettings, PredictionLogSettings):
    """Settings of a server. A project sets its own default port in a subclass."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on; in a container 0.0.0.0, or :: for IPv6 and IPv4.",
    )
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    server: Literal["uvicorn", "hypercorn"] = Field(
        "uvicorn", description="The HTTP server: hypercorn supports HTTP/2, uvicorn is faster."
    )
    http2: bool = Field(
        False, description="Whether hypercorn speaks HTTP/2 to clients that start with it."
    )
    grpc_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of the Open Inference Protocol over gRPC; 0 takes any free one. By default it "
        "is not served.",
    )
    allowed_hosts: str = Field(
        "",
        description="Names of hosts that requests may be sent to, without ports, separated by "
        "commas: *.example.com for all of a domain, * for any. By default none but localhost and "
        "addresses where the server listens on a loopback address, else any.",
    )
    device: ChosenDevice = Field(
        AUTO,
        description="What the network runs on: auto is the device that the version was compiled "
        f"for, on which its parity was checked; else {NAMES}; several, the preferred one first, "
        "are separated by commas.",
    )
    precision: ChosenPrecision = Field(
        "auto",
        description="What the network computes in: auto is the fastest of those that the processor "
        "has and in which the version's parity was checked; float32 gives the same answers on "
        "every machine.",
    )
    force: bool = Field(
        False, description="Serve on a device on which the version's parity was not checked."
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
    stuck_seconds: float = Field(
        300,
        gt=0,
        description="When no thread is free and none has moved on for this long, the process ends with "
        "exit code 1, since it can't end them.",
    )
    max_body_bytes: int | None = Field(
        None,
        ge=1,
        description="Larger request bodies get status 413. By default what the largest request that the "
        "model allows needs.",
    )
    max_bytes_in_flight: int = Field(
        128 * 1024 * 1024,
        ge=1,
        description="Bytes of request bodies that all connections hold together, until their responses; "
        "more get status 503. No body may be larger.",
    )
    max_connections: int = Field(
        512,
        ge=1,
        description="Open connections. For another one, that which has waited for its client for longest is "
        "closed; where none waits, the new one gets status 503.",
    )
    receive_seconds: float = Field(
        10,
        gt=0,
        description="A request's header, from its first byte on, must have arrived within this time, or the "
        "connection is closed; and then its body, else status 408.",
    )
    send_seconds: float = Field(
        15, gt=0, description="Clients that take nothing of a response for so long are cut off."
    )
    keep_alive_seconds: float = Field(
        75,
        gt=0,
        description="Idle connections are closed after this. It must be longer than the idle time of a load "
        "balancer, which is 60 s with most.",
    )
    drain_delay_seconds: float = Field(
        0.2,
        ge=0,
        description="On SIGTERM, how long connections are still accepted while readiness is already 503.",
    )
    drain_seconds: float = Field(
        25, gt=0, description="After that, how long accepted requests may take."
    )

    @property
    def placement(self) -> Placement:
        """Where the networks of a model are to run."""
        return Placement(
            self.device, precision=self.precision, callers=self.threads, force=self.force
        )

    @field_validator("http2")
    @classmethod
    def _fits_server(cls, http2: bool, info: ValidationInfo) -> bool:
        if http2 and info.data.get("server") == "uvicorn":
            raise ValueError("only hypercorn speaks HTTP/2; choose it by SERVE_SERVER=hypercorn")
        return http2

    @model_validator(mode="after")
    def _has_different_ports(self) -> Self:
        if self.inspect_port == self.port:
            raise ValueError(f"SERVE_INSPECT_PORT={self.port} is the server's own port")
        if self.grpc_port and self.grpc_port in (self.port, self.inspect_port):
            raise ValueError(f"SERVE_GRPC_PORT={self.grpc_port} is another port of the server")
        return self

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, text: str) -> str:
        parse_patterns(text)
        return text
