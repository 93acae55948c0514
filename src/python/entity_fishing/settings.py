"""The backend that links, and its services."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from entity_fishing.schema import Backend
from mesh.core.settings import MeshSettings


class EntityFishingSettings(MeshSettings):
    """Settings of finding and linking names."""

    model_config = SettingsConfigDict(env_prefix="ENTITY_FISHING_")

    backend: Backend = Field(
        "embedded",
        description="`embedded` uses a knowledge base and needs no service; `service` calls an "
        "entity-fishing server.",
    )
    knowledge_base: Path | None = Field(
        None,
        description="File made by knowledge_base:build, for `embedded`; by default a small sample.",
    )
    mentions: Literal["backend", "ner"] = Field(
        "backend",
        description="Finds names where a request has none: the backend itself, or the ner service.",
    )
    service_url: str = Field(
        "http://127.0.0.1:8090", description="URL of the entity-fishing server."
    )
    ner_url: str = Field("http://127.0.0.1:8003", description="URL of the ner service.")
    concurrency: int = Field(8, ge=1, description="Calls of a service at the same time; more wait.")
    attempts: int = Field(3, ge=1, description="How many times a call is made at most.")
    attempt_seconds: float = Field(10, gt=0, description="How long one call may take.")
    deadline_seconds: float = Field(
        25,
        gt=0,
        description="All calls for a batch of requests end within this time; keep it below "
        "SERVE_DEADLINE_SECONDS.",
    )
    breaker_failures: int = Field(
        5,
        ge=1,
        description="This many failed calls in a row open the circuit breaker of a service.",
    )
    breaker_seconds: float = Field(
        10,
        gt=0,
        description="How long it stays open; then one call tries whether the service works again.",
    )
