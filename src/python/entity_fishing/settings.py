"""Settings of the linking backend and its services."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from entity_fishing.schema import Backend
from mesh.core.settings import MeshSettings, Url


class EntityFishingSettings(MeshSettings):
    """Settings for finding and linking names."""

    model_config = SettingsConfigDict(env_prefix="ENTITY_FISHING_")

    backend: Backend = Field(
        "embedded",
        description="`embedded` uses a knowledge base and needs no service; `service` calls an "
        "entity-fishing server.",
    )
    knowledge_base: Path | None = Field(
        None,
        description="File made by knowledge_base:build, for `embedded`; a small sample by default.",
    )
    mentions: Literal["backend", "ner"] = Field(
        "backend",
        description="Finds the names of requests without any: the backend itself, or the ner "
        "service.",
    )
    service_url: Url = Field(
        "http://127.0.0.1:8090", description="URL of the entity-fishing server."
    )
    ner_url: Url = Field("http://127.0.0.1:8003", description="URL of the ner service.")
    concurrency: int = Field(8, ge=1, description="Simultaneous calls to a service; more wait.")
    attempts: int = Field(3, ge=1, description="Maximum number of attempts of a call.")
    attempt_seconds: float = Field(10, gt=0, description="Maximum duration of one attempt.")
    deadline_seconds: float = Field(
        25,
        gt=0,
        description="All calls for a batch of requests end within this time; keep it below "
        "SERVE_DEADLINE_SECONDS.",
    )
    breaker_failures: int = Field(
        5,
        ge=1,
        description="Number of consecutive failures that open a service's circuit breaker.",
    )
    breaker_seconds: float = Field(
        10,
        gt=0,
        description="How long it stays open; then one call tests whether the service works again.",
    )
